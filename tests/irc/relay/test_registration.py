"""
Client side of connection registration.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.relay.registration import CHUNK, ClientRegistration


def test_wholeChunks() -> None:
    """
    A SASL response whose last chunk is full is ended by a plus sign.
    """
    settings = NetworkSettings(
        "home", "tcp:x:1", "relay", saslUser="a", saslPassword="x" * 296
    )
    registration = ClientRegistration(settings, "relay")
    blob, plus = registration.lineReceived(Line("AUTHENTICATE", ("+",)))
    assert len(blob.params[0]) == CHUNK
    assert plus.params == ("+",)


def test_refusedAccount() -> None:
    """
    The reason of a refused SASL authentication is in the words of the server.
    """
    settings = NetworkSettings("home", "tcp:x:1", "relay", saslUser="a")
    registration = ClientRegistration(settings, "relay")
    line = Line("904", ("relay", "SASL authentication failed"))
    assert registration.lineReceived(line) == []
    expected = "the account is refused: SASL authentication failed"
    assert registration.failure == expected


def test_nicks() -> None:
    """
    The registration fails when all alternative nicks are taken.
    """
    registration = ClientRegistration(
        NetworkSettings("home", "tcp:x:1", "relay"), "relay"
    )
    for count in range(1, 6):
        [line] = registration.lineReceived(Line("433", ("*", "relay", "Taken")))
        assert line.params == ("relay" + "_" * count,)
    assert registration.lineReceived(Line("433", ("*", "relay", "Taken"))) == []
    assert registration.failure == "the nick relay and its variants: Taken"


def capabilities(offered: str, refused: str) -> tuple[list[str], bool]:
    """
    Register on a server that refuses each request with one of some capabilities.

    @return: the acknowledged capabilities, and whether the negotiation ended.
    """
    settings = NetworkSettings(
        "home", "tcp:x:1", "relay", saslUser="relay", saslPassword="oolong"
    )
    registration = ClientRegistration(settings, "relay")
    lines = registration.lineReceived(Line("CAP", ("*", "LS", offered)))
    isEnded = False
    while lines:
        line = lines.pop(0)
        if line.command == "AUTHENTICATE" or line.params[0] == "END":
            assert not lines
            isEnded = True
            continue
        names = set(line.params[1].split())
        verb = "NAK" if names & set(refused.split()) else "ACK"
        answer = Line("CAP", ("*", verb, line.params[1]))
        lines += registration.lineReceived(answer)
    return sorted(registration.capabilities), isEnded


@pytest.mark.parametrize(
    ("refused", "wanted"),
    [
        ("batch", ["sasl", "server-time"]),
        ("batch server-time", ["sasl"]),
        ("sasl", ["batch", "server-time"]),
        ("batch sasl server-time", []),
    ],
)
def test_refusedCapabilities(refused: str, wanted: list[str]) -> None:
    """
    When a request for capabilities is refused, each is requested alone: one
    that the server refuses does not cost the others.
    """
    offered = "batch sasl server-time"
    assert capabilities(offered, refused) == (wanted, True)


def test_newAfterRefusal() -> None:
    """
    A refused capability is not requested again when the server offers others.
    """
    registration = ClientRegistration(
        NetworkSettings("home", "tcp:x:1", "relay"), "relay"
    )
    registration.lineReceived(Line("CAP", ("*", "LS", "batch")))
    [end] = registration.lineReceived(Line("CAP", ("*", "NAK", "batch")))
    assert end.params == ("END",)
    registration.lineReceived(Line("001", ("relay", "Welcome")))
    [line] = registration.lineReceived(Line("CAP", ("*", "NEW", "batch chghost")))
    assert line.params == ("REQ", "chghost")
    assert registration.lineReceived(Line("CAP", ("*", "ACK", "chghost"))) == []
    registration.lineReceived(Line("CAP", ("*", "ACK", "-chghost")))
    assert registration.capabilities == {}


def test_alternatives() -> None:
    """
    A nick that is not allowed is followed by the alternatives, and one that is
    taken by one with an underscore.
    """
    registration = ClientRegistration(
        NetworkSettings("home", "tcp:x:1", "小明|qq"), "小明|qq", ["XiaoMing|qq"]
    )
    nicks = []
    for numeric in ("432", "433", "432", "437"):
        [line] = registration.lineReceived(Line(numeric, ("*", "x", "No")))
        nicks.append(line.params[0])
    assert nicks == ["XiaoMing|qq", "XiaoMing|qq_", "XiaoMing|qq__", "XiaoMing|qq___"]
