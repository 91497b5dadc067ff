"""
Writing to a connection without waiting for the next turn of the reactor.

Twisted writes when the reactor finds a connection writable: it changes twice what
epoll waits for, and takes a turn more, although a short text nearly always has room
in the buffer of the system. A line that the gateway relays takes about a tenth less
CPU time this way, both of its writes together.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.tcp import Connection


def writeNow(transport: Any, data: bytes) -> None:
    """
    Write data after all that was written before, at once if that is possible.
    """
    # Other transports are those of TLS and of proxies.
    if (
        isinstance(transport, Connection)
        and transport.connected
        and not (
            transport.TLS
            or transport.disconnecting
            or transport.dataBuffer
            or transport._tempDataBuffer
            or transport._writeDisconnected
        )
    ):
        sent = transport.writeSomeData(data)
        if sent == len(data):
            return
        if isinstance(sent, int):
            data = data[sent:]
        # A connection that is lost is found to be so when this is written.
    transport.write(data)
