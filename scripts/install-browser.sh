#!/bin/sh
# Installs a browser if none is found and apt-get can be run: install-browser.sh PYTHON [chromium|firefox]
# It always exits with 0: tests without a browser are skipped, or fail in CI.
set -u
python=$1
case ${2:-chromium} in
chromium) package=chromium-headless-shell variable=CHROMIUM given=${CHROMIUM:-} names="$package chromium chromium-browser google-chrome google-chrome-stable" ;;
firefox) package=firefox-esr variable=FIREFOX given=${FIREFOX:-} names='firefox-esr firefox' ;;
esac

found() {
    [ -n "$given" ] && return
    for name in $names; do
        command -v "$name" >/dev/null && return
    done
    return 1
}

# Playwright (for Chromium only) includes its own node, which needs libatomic1 on a minimal Debian.
can_drive() { [ "$variable" != CHROMIUM ] || "$python" -m playwright --version >/dev/null 2>&1; }

report_missing() {
    result=skipped
    { [ "${CI:-}" != true ] && [ "$variable" = CHROMIUM ] && ! found; } || result='going to fail'
    echo "$1: browser tests are $result."
}

packages= # separated by a space
found || packages=$package
can_drive || packages="${packages:+$packages }libatomic1"
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
else
    as_root='sudo -n'
fi
if ! { command -v apt-get && $as_root true; } >/dev/null 2>&1; then
    report_missing "Missing $packages, and apt-get cannot be run here ($variable may name a browser)"
    exit 0
fi

echo "Installing $packages with apt-get."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; }
# Continue on failure: outdated package lists may be sufficient.
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $packages
[ "$variable" != CHROMIUM ] || found || apt install -y --no-install-recommends chromium # where there is no package of the shell alone
if ! { found && can_drive; }; then
    report_missing "apt-get could not install $packages ($(grep '^E:' "$log" | head -n 1))"
fi
