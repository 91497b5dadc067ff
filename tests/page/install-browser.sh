#!/bin/sh
# Install Chromium, for the tests of the chat page: on Debian, as root.
set -eu

hasBrowser() {
    command -v chromium >/dev/null
}

if ! hasBrowser && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'Installing Chromium for the tests of the chat page with apt, about a minute.'
    apt-get -qq update || :
    output=$(DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends chromium 2>&1) || echo "$output" >&2
fi

hasBrowser || {
    echo 'Tests of the chat page in a browser are skipped: chromium is not installed.' >&2
    echo 'On Debian: apt install chromium' >&2
    exit 1
}
