"""
The metrics of the gateway and of the relay.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RelayService
from txwebqq.operation.metrics import Sample, gauge

CLIENTS = gauge("txwebqq_gateway_clients", "IRC clients that are connected.")
UNSENT = gauge(
    "txwebqq_gateway_send_queue_bytes",
    "Bytes that wait for IRC clients that read slowly.",
)
UNSTORED = gauge(
    "txwebqq_gateway_unstored_messages",
    "Messages in memory only, since the database cannot be written to.",
)
QUEUED = gauge(
    "txwebqq_relay_queue_messages",
    "Messages that wait to be sent to a group or channel.",
    "queue",
)
CONNECTED = gauge(
    "txwebqq_relay_network_connected",
    "Whether the relay is connected to an IRC network: 1 or 0.",
    "network",
)


class GatewaySource:
    """
    The metrics of a gateway (L{Source<txwebqq.operation.metrics.Source>}).
    """

    metrics = (CLIENTS, UNSENT, UNSTORED)

    def __init__(self, gateway: GatewayService) -> None:
        self._gateway = gateway

    def samples(self) -> Iterator[Sample]:
        clients = self._gateway.clients
        yield CLIENTS, (), len(clients)
        yield UNSENT, (), sum(each.waitingBytes for each in clients)
        users = self._gateway.users.values()
        yield UNSTORED, (), sum(user.conversations.unstoredCount for user in users)

    def problems(self) -> Iterable[str]:
        return ()


class RelaySource:
    """
    The metrics of a relay (L{Source<txwebqq.operation.metrics.Source>}).
    """

    metrics = (QUEUED, CONNECTED)

    def __init__(self, relay: RelayService) -> None:
        self._relay = relay

    def samples(self) -> Iterator[Sample]:
        for name, network in self._relay.networks.items():
            yield CONNECTED, (name,), float(network.isConnected)
        try:
            queued = self._relay.queued()
        except sqlite3.Error:
            # Better without this one than without all of them.
            return
        for queue, count in queued.items():
            yield QUEUED, (queue,), count

    def problems(self) -> Iterable[str]:
        return ()
