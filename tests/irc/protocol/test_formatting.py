"""
Formatting codes, CTCP ACTION and fonts.
"""

from __future__ import annotations

import pytest

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.irc.protocol.formatting import (
    fontOf,
    formatted,
    parseAction,
    prefixOf,
    stripFormatting,
)
from txwebqq.model import Font, Message


def test_stripFormatting() -> None:
    """
    A colour code ends after its digits.
    """
    assert stripFormatting("\x03123 \x04FF00AAx\x04 \x1di\x1d") == "3 x i"


def test_parseAction() -> None:
    """
    An action is recognised with and without the closing delimiter.
    """
    assert parseAction("\x01ACTION waves\x01") == "waves"
    assert parseAction("\x01ACTION waves") == "waves"
    assert parseAction("\x01VERSION\x01") is None
    assert parseAction("ACTION waves") is None


@pytest.mark.parametrize(
    ("text", "font"),
    [
        ("plain", Font()),
        ("\x02bold", Font(bold=True)),
        ("\x02bold\x02", Font(bold=True)),
        ("\x02\x1d\x1fall\x0f", Font(bold=True, italic=True, underline=True)),
        ("\x02\x02none", Font()),
        ("\x02half\x02 of it", Font()),
        ("\x0304red", Font(color="ff0000")),
        ("\x034,1red", Font(color="ff0000")),
        ("\x0399what", Font()),
        ("\x04AbCdEftext", Font(color="abcdef")),
        ("\x02a\n\x02b", Font(bold=True)),
        ("\x02a\nb", Font()),
        ("\x02", Font(bold=True)),
        ("", Font()),
    ],
)
def test_fontOf(text: str, font: Font) -> None:
    """
    Formatting becomes a font only when it covers the whole message.
    """
    assert fontOf(text) == font


@pytest.mark.parametrize(
    ("font", "expected"),
    [
        (Font(), "a\r\nb"),
        (Font(bold=True), "\x02a\n\x02b"),
        (Font(italic=True, underline=True), "\x1d\x1fa\n\x1d\x1fb"),
        (Font(color="fe0101"), "\x0304a\n\x0304b"),
        (Font(color="010203"), "a\r\nb"),
        (Font(color="nonsense"), "a\r\nb"),
    ],
)
def test_formatted(font: Font, expected: str) -> None:
    """
    The codes stand before each line, and a line that begins with digits keeps
    its digits.
    """
    assert formatted("a\r\nb", font) == expected
    assert prefixOf(formatted("12", font)) + "12" == formatted("12", font)


def test_endless() -> None:
    """
    A long line of codes alone is parsed in linear time.
    """
    assert fontOf("\x02" * 100_000 + "x" + "\x02" * 100_000 + "x") == Font()


def fontsOf(gateway: MemoryGateway) -> list[Font]:
    return [event.font for event in gateway.ming.events if isinstance(event, Message)]


def test_sent(gateway: MemoryGateway) -> None:
    """
    A line in bold has a bold font on QQ, and its text has no codes.
    """
    client = gateway.client()
    client.send("PRIVMSG 小明 :\x02loud\x02", "PRIVMSG 小明 :\x01ACTION \x02l\x02\x01")
    client.send("PRIVMSG 小明 :\x02half\x02 loud")
    assert gateway.ming.heard == ["loud", "/me l", "half loud"]
    assert [font.bold for font in fontsOf(gateway)] == [True, True, False]


def bold(gateway: MemoryGateway, client: Client, text: str) -> str:
    uin = gateway.ming.uinOf(gateway.alice)
    client.transport.clear()
    gateway.web.result(gateway.ming.protocol.sendMessage(uin, text, Font(bold=True)))
    gateway.web.settle(3)
    return client.seen


def test_shown(gateway: MemoryGateway) -> None:
    """
    With C{set formatting on} a font is shown as formatting, on every part of a
    long line; after C{set formatting off} it is not.
    """
    client = gateway.client()
    assert "PRIVMSG me :loud\r" in bold(gateway, client, "loud")
    assert "formatting is now on" in client.send("PRIVMSG *qq :set formatting on")
    assert "PRIVMSG me :\x02loud\r" in bold(gateway, client, "loud")
    assert "\x02\x01" not in bold(gateway, client, "\x01VERSION\x01")
    seen = bold(gateway, client, "loud " * 200).splitlines()
    assert len(seen) > 1
    assert all("PRIVMSG me :\x02loud" in line for line in seen)
    assert all(len(line.encode()) <= 510 for line in seen)
    assert "PRIVMSG me :\x01ACTION waves\x01" in bold(gateway, client, "/me waves")
    client.send("PRIVMSG *qq :set formatting off")
    assert "\x02" not in client.send("CHATHISTORY LATEST 小明 * 9")
    assert "formatting is on or off" in client.send("PRIVMSG *qq :set formatting x")
