#!/bin/sh
# Make sure of nginx, for `make failover` and its tests, where root may install it: in CI and in containers.
# It never fails: a test that finds no nginx decides for itself what that means.
set -u
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v nginx >/dev/null && exit 0

if ! { [ "$(id -u)" = 0 ] && command -v apt-get; } >/dev/null; then
    fate=skipped
    [ "${CI:-}" != true ] || fate='going to fail'
    echo "nginx was not found (on Debian: apt-get install nginx-light): tests that need it are $fate."
    exit 0
fi

echo "Installing nginx-light with apt-get."
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
# Debian starts what it installs; this nginx is only to be called by those who need it.
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$log" "$policy"' EXIT
else
    trap 'rm -f "$log"' EXIT
fi
apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; }
# Package lists that are partly out of date may still do.
apt update
apt install -y --no-install-recommends nginx-light
command -v nginx >/dev/null || echo "apt-get could not install nginx-light ($(grep '^E:' "$log" | head -n 1))."
