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

packages=
found || packages=chromium
drives || packages="$packages libatomic1"
[ -n "$packages" ] || exit 0

without=skipped
[ "${CI:-}" != true ] || without='going to fail'

as_root=
if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! { as_root='sudo -n'; sudo -n true; } 2>/dev/null; }; then
    echo "No ${packages# } here and no right to install it (CHROMIUM may name a browser): browser tests are $without."
    exit 0
fi

echo "Installing ${packages# } with apt-get."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; }
# Lists that are partly stale may still do.
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $packages
if ! { found && drives; }; then
    echo "apt-get could not install ${packages# } ($(grep '^E:' "$log" | head -n 1)): browser tests are $without."
fi
