#!/bin/sh
# Install HAProxy, for the runs of several server processes: on Debian and Ubuntu, as
# root. It does not run as a service of the system.
set -eu
PURPOSE='several server processes' PROGRAMS=haproxy SERVERS=haproxy \
    exec sh "$(dirname "$0")/../irc/install-programs.sh"
