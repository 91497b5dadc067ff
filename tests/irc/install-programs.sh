#!/bin/sh
# Install the IRC programs, and systemd-analyze, that tests run: on Debian and Ubuntu,
# as root.
#
# Tests start the IRC servers and Atheme (NickServ, SaslServ) themselves. As services
# of the system these are never started, now or at boot; a server that was installed
# before is left alone.
# PURPOSE, PROGRAMS and SERVERS are for scripts that install programs for other tests.
# ROOT is the directory of the system, for the tests of this script.
set -eu
PATH=$PATH:/usr/sbin:/sbin
PURPOSE=${PURPOSE:-IRC and systemd units}
IRC='atheme-services finch ii inspircd irssi libsasl2-modules ngircd sic systemd tmux'
PROGRAMS=${PROGRAMS:-$IRC weechat-headless weechat-plugins}
SERVERS=${SERVERS:-atheme-services inspircd ngircd}
ROOT=${ROOT:-}
POLICY=$ROOT/usr/sbin/policy-rc.d
UNITS=$ROOT/etc/systemd/system

missing() {
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            printf '%s ' "$name"
    done
}

packages=$(missing $PROGRAMS)
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    servers=$(missing $SERVERS)
    echo "Installing programs for the tests of $PURPOSE with apt, about a minute: $packages"
    if [ ! -e "$POLICY" ]; then
        trap 'rm -f "$POLICY"' EXIT
        printf '#!/bin/sh\ncase $1 in %s) exit 101;; esac\n' \
            "$(echo $SERVERS | tr ' ' '|')" >"$POLICY"
        chmod 755 "$POLICY"
    fi
    for server in $servers; do
        mkdir -p "$UNITS"
        [ -e "$UNITS/$server.service" ] || ln -s /dev/null "$UNITS/$server.service"
    done
    apt-get -qq update || :
    output=$(DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends $packages 2>&1) || echo "$output" >&2
    for server in $servers; do
        [ -z "$(missing "$server")" ] || continue
        update-rc.d "$server" disable >/dev/null 2>&1 || :
        echo "$server does not run as a service. To change that:" \
            "systemctl unmask $server; update-rc.d $server enable"
    done
fi

packages=$(missing $PROGRAMS)
[ -z "$packages" ] || {
    echo "Tests with programs that are not installed are skipped: $packages" >&2
    echo "On Debian and Ubuntu: apt install $packages" >&2
    exit 1
}
