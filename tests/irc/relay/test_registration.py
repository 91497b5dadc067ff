"""
Client side of connection registration.
"""

from __future__ import annotations

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
    assert registration.failure
