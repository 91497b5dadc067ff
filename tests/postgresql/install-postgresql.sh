#!/bin/sh
# Install PostgreSQL, for the tests of the server's stores: on Debian and Ubuntu, as root.
#
# Tests start a server of their own. A cluster of the system is neither made nor started;
# one that was there before is left alone.
# ROOT is the directory of the system, for the tests of this script.
set -eu
ROOT=${ROOT:-}
POLICY=$ROOT/usr/sbin/policy-rc.d
SETTINGS=$ROOT/etc/postgresql-common/createcluster.d

hasPrograms() {
    command -v initdb >/dev/null || ls "$ROOT"/usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

if ! hasPrograms && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'Installing PostgreSQL for the tests of the stores with apt, about a minute.'
    trap 'rm -f "$SETTINGS/txwebqq.conf"; [ -z "${made:-}" ] || rm -f "$POLICY"' EXIT
    mkdir -p "$SETTINGS"
    echo 'create_main_cluster = false' >"$SETTINGS/txwebqq.conf"
    if [ ! -e "$POLICY" ]; then
        made=1
        printf '#!/bin/sh\ncase $1 in postgresql*) exit 101;; esac\n' >"$POLICY"
        chmod 755 "$POLICY"
    fi
    apt-get -qq update || :
    output=$(DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends postgresql 2>&1) || echo "$output" >&2
fi

hasPrograms || {
    echo 'Tests of the stores on PostgreSQL are skipped: it is not installed.' >&2
    echo 'On Debian and Ubuntu: apt install postgresql' >&2
    exit 1
}
