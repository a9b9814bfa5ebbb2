#!/bin/sh
# Installs Redis for the tests of rooms, if run as root: in CI and in containers.
# It always exits with 0: tests without it are skipped, or fail in CI.
set -u
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v redis-server >/dev/null && exit 0

if ! { [ "$(id -u)" = 0 ] && command -v apt-get; } >/dev/null; then
    result=skipped
    [ "${CI:-}" != true ] || result='going to fail'
    echo "redis-server was not found (on Debian: apt-get install redis-server): tests that need it are $result."
    exit 0
fi

echo "Installing redis-server with apt-get."
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
apt install -y --no-install-recommends redis-server
command -v redis-server >/dev/null || echo "apt-get could not install redis-server ($(grep '^E:' "$log" | head -n 1))."
