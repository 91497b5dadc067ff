"""
The metrics of the gateway and of the relay.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock, StringTransport

from tests.rig import configurationIn
from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RelayService
from txwebqq.irc.relay.storage.outbox import OutboxMessage
from txwebqq.irc.statistics import GatewaySource, RelaySource
from txwebqq.irc.tap import Options
from txwebqq.operation.accounts import WatchedAccounts
from txwebqq.operation.metrics import Source

CONFIGURATION = """
[gateway]
listen = ["tcp:6667:interface=127.0.0.1"]

[[gateway.user]]
name = "alice"
password-file = "secret"

[[gateway.user.account]]
number = 10001
password-file = "secret"

[relay]

[[relay.account]]
number = 10003
password-file = "secret"

[[relay.network]]
name = "home"
endpoint = "tcp:127.0.0.1:6667"
nick = "qq"

[[relay.room]]
groups = ["10003/200001"]
channels = ["home/#cats"]
"""


def written(folder: Path) -> Any:
    """
    Write the configuration, and read it.
    """
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("oolong\n", encoding="utf-8")
    file = folder / "irc.toml"
    file.write_text(CONFIGURATION, encoding="utf-8")
    return configurationIn(Options(), file)


def valuesOf(source: Source) -> Mapping[tuple[str, ...], object]:
    assert list(source.problems()) == []
    found = {
        (metric.name, *labels): value for metric, labels, value in source.samples()
    }
    assert {name for name, *_ in found} == {metric.name for metric in source.metrics}
    return found


def test_gateway(tmp_path: Path) -> None:
    """
    The metrics of a gateway are its clients and what waits for them. Its accounts are
    watched.
    """
    reactor: Any = MemoryReactorClock()
    watched = WatchedAccounts()
    gateway = GatewayService(written(tmp_path).gateway, reactor, watched.makeAccount)
    source = GatewaySource(gateway)
    assert set(valuesOf(source).values()) == {0}
    assert len(list(watched.problems())) == 1
    gateway.startService()
    [listening] = reactor.tcpServers
    protocol = listening[1].buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    producer: Any = transport.producer
    producer.pauseProducing()
    protocol.dataReceived(b"PASS alice:oolong\r\nNICK me\r\nUSER me 0 * x\r\n")
    values = valuesOf(source)
    assert values["txwebqq_gateway_clients",] == 1
    waiting = values["txwebqq_gateway_send_queue_bytes",]
    producer.resumeProducing()
    assert waiting == len(transport.value()) > 100
    assert valuesOf(source)["txwebqq_gateway_send_queue_bytes",] == 0


def test_relay(tmp_path: Path) -> None:
    """
    The metrics of a relay are its queues and networks; they can be read when it has
    ended.
    """
    reactor: Any = MemoryReactorClock()
    watched = WatchedAccounts()
    relay = RelayService(written(tmp_path).relay, reactor, watched.makeAccount)
    assert len(list(watched.problems())) == 1
    source = RelaySource(relay)
    queues = [name for name, *_ in relay.queued().items()]
    assert valuesOf(source) == {
        ("txwebqq_relay_network_connected", "home"): 0,
        **{("txwebqq_relay_queue_messages", queue): 0 for queue in queues},
    }
    assert len(queues) == 2
    for number in range(3):
        message = OutboxMessage(queues[0], f"x {number}", 1, "a", "b")
        relay._outbox.enqueue(message, 10, OverflowPolicy.REFUSE_NEW)
    stray = OutboxMessage("of no room", "x", 1, "a", "b")
    relay._outbox.enqueue(stray, 10, OverflowPolicy.REFUSE_NEW)
    values = valuesOf(source)
    assert values["txwebqq_relay_queue_messages", queues[0]] == 3
    assert ("txwebqq_relay_queue_messages", "of no room") not in values
    relay._database.close()
    assert [metric.name for metric, _, _ in source.samples()] == [
        "txwebqq_relay_network_connected"
    ]
