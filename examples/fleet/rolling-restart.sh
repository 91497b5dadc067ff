#!/bin/sh
# Restart server processes one after another: rolling-restart.sh 8891 8892 8893
#
# HAProxy gives a process no more requests (drain) before it is restarted, and the next
# one is restarted when this one has requests again. It ends at the first one that does
# not come back.
set -eu
SOCKET=${SOCKET:-/run/haproxy/webqq.sock}
RESTART=${RESTART:-systemctl restart webqq-server@}

tell() {
    echo "$1" | socat - "UNIX-CONNECT:$SOCKET"
}

status() {
    tell 'show stat' | awk -F, -v server="$1" '$1 == "processes" && $2 == server { print $18 }'
}

for port in "$@"; do
    [ -n "$(status "$port")" ] || { echo "HAProxy knows no server $port." >&2; exit 1; }
    tell "set server processes/$port state drain" >/dev/null
    # Requests that have begun take moments; polls are answered by the restart.
    sleep 1
    $RESTART"$port" || { echo "Process $port has not restarted." >&2; exit 1; }
    tell "set server processes/$port state ready" >/dev/null
    tries=0
    while [ "$(status "$port")" != UP ]; do
        tries=$((tries + 1))
        [ $tries -lt 60 ] || { echo "Process $port does not answer." >&2; exit 1; }
        sleep 1
    done
    echo "Process $port is restarted."
done
