#!/bin/sh
# Make sure of a browser for what needs one, as far as this machine allows: install-browser.sh PYTHON [chromium|firefox]
# It never fails: a test that finds no browser decides for itself what that means.
set -u
python=$1
case ${2:-chromium} in
chromium) package=chromium variable=CHROMIUM named=${CHROMIUM:-} names='chromium chromium-browser google-chrome google-chrome-stable' ;;
firefox) package=firefox-esr variable=FIREFOX named=${FIREFOX:-} names='firefox-esr firefox' ;;
esac

found() {
    [ -n "$named" ] && return
    for name in $names; do
        command -v "$name" >/dev/null && return
    done
    return 1
}

# Playwright, which drives Chromium alone, brings its own node, which on a bare Debian lacks libatomic1.
drives() { [ "$package" != chromium ] || "$python" -m playwright --version >/dev/null 2>&1; }

say_without() {
    fate=skipped
    { [ "${CI:-}" != true ] && [ "$package" = chromium ] && ! found; } || fate='going to fail'
    echo "$1: browser tests are $fate."
}

packages= # separated by a space
found || packages=$package
drives || packages="${packages:+$packages }libatomic1"
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
else
    as_root='sudo -n'
fi
if ! { command -v apt-get && $as_root true; } >/dev/null 2>&1; then
    say_without "Missing $packages, and apt-get cannot be run here ($variable may name a browser)"
    exit 0
fi

echo "Installing $packages with apt-get."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; }
# Package lists that are partly out of date may still do.
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $packages
if ! { found && drives; }; then
    say_without "apt-get could not install $packages ($(grep '^E:' "$log" | head -n 1))"
fi
