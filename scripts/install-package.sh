#!/bin/sh
# Installs a Debian package that tests need, if run as root, as in CI and in containers: sh scripts/install-package.sh PROGRAM PACKAGE
# It always exits with 0: tests without it are skipped, or fail in CI.
set -u
program=$1
package=$2
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v "$program" >/dev/null && exit 0

if ! { [ "$(id -u)" = 0 ] && command -v apt-get; } >/dev/null; then
    result=skipped
    [ "${CI:-}" != true ] || result='going to fail'
    echo "$program was not found (on Debian: apt-get install $package): tests that need it are $result."
    exit 0
fi

echo "Installing $package with apt-get."
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
# Debian starts installed services; this policy prevents it.
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$log" "$policy"' EXIT
else
    trap 'rm -f "$log"' EXIT
fi
apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; }
# Continue on failure: outdated package lists may be sufficient.
apt update
apt install -y --no-install-recommends "$package"
command -v "$program" >/dev/null || echo "apt-get could not install $package ($(grep '^E:' "$log" | head -n 1))."
