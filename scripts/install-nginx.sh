#!/bin/sh
# Installs nginx for `make failover` and its tests, if run as root: in CI and in containers.
# It always exits with 0: tests without nginx are skipped, or fail in CI.
set -u
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v nginx >/dev/null && exit 0

if ! { [ "$(id -u)" = 0 ] && command -v apt-get; } >/dev/null; then
    result=skipped
    [ "${CI:-}" != true ] || result='going to fail'
    echo "nginx was not found (on Debian: apt-get install nginx-light): tests that need it are $result."
    exit 0
fi

echo "Installing nginx-light with apt-get."
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
apt install -y --no-install-recommends nginx-light
command -v nginx >/dev/null || echo "apt-get could not install nginx-light ($(grep '^E:' "$log" | head -n 1))."
