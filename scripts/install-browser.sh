#!/bin/sh
# Make sure of a browser for what needs one, as far as this machine allows: install-browser.sh PYTHON
# It never fails: a test that finds no browser decides for itself what that means.
set -u
python=$1

found() {
    [ -n "${CHROMIUM:-}" ] && return
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null && return
    done
    return 1
}

# Playwright brings its own node, which on a bare Debian lacks libatomic1.
drives() { "$python" -m playwright --version >/dev/null 2>&1; }

say_without() {
    fate=skipped
    { [ "${CI:-}" != true ] && ! found; } || fate='going to fail'
    echo "$1: browser tests are $fate."
}

packages= # separated by a space
found || packages=chromium
drives || packages="${packages:+$packages }libatomic1"
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
else
    as_root='sudo -n'
fi
if ! { command -v apt-get && $as_root true; } >/dev/null 2>&1; then
    say_without "Missing $packages, and apt-get cannot be run here (CHROMIUM may name a browser)"
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
