"""
How words look.
"""

from __future__ import annotations

import pytest

from tests.irc.scene import Client, Scene
from txwebqq.irc.protocol.formatting import fontOf, formatted, prefixOf
from txwebqq.model import Font, Message


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
    What a whole message looks like is its font, and no more is.
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
    Each line has the codes, and a line that begins with digits keeps them.
    """
    assert formatted("a\r\nb", font) == expected
    assert prefixOf(formatted("12", font)) + "12" == formatted("12", font)


def test_endless() -> None:
    """
    A line of nothing but codes is read in no time.
    """
    assert fontOf("\x02" * 100_000 + "x" + "\x02" * 100_000 + "x") == Font()


def fontsOf(scene: Scene) -> list[Font]:
    return [event.font for event in scene.ming.events if isinstance(event, Message)]


def test_sent(scene: Scene) -> None:
    """
    A line in bold is bold on QQ, and its words are without codes.
    """
    client = scene.client()
    client.send("PRIVMSG 小明 :\x02loud\x02", "PRIVMSG 小明 :\x01ACTION \x02l\x02\x01")
    client.send("PRIVMSG 小明 :\x02half\x02 loud")
    assert scene.ming.heard == ["loud", "/me l", "half loud"]
    assert [font.bold for font in fontsOf(scene)] == [True, True, False]


def bold(scene: Scene, client: Client, text: str) -> str:
    uin = scene.ming.uinOf(scene.alice)
    client.transport.clear()
    scene.web.result(scene.ming.protocol.sendMessage(uin, text, Font(bold=True)))
    scene.web.settle(3)
    return client.seen


def test_shown(scene: Scene) -> None:
    """
    A font is formatting for those who want that, on every piece of a long
    line, and whoever changes their mind sees none of it.
    """
    client = scene.client()
    assert "PRIVMSG me loud\r" in bold(scene, client, "loud")
    assert "is on now" in client.send("PRIVMSG *qq :set formatting on")
    assert "PRIVMSG me \x02loud\r" in bold(scene, client, "loud")
    assert "\x02\x01" not in bold(scene, client, "\x01VERSION\x01")
    seen = bold(scene, client, "loud " * 200).splitlines()
    assert len(seen) > 1
    assert all("PRIVMSG me :\x02loud" in line for line in seen)
    assert all(len(line.encode()) <= 510 for line in seen)
    assert "PRIVMSG me :\x01ACTION waves\x01" in bold(scene, client, "/me waves")
    client.send("PRIVMSG *qq :set formatting off")
    assert "\x02" not in client.send("CHATHISTORY LATEST 小明 * 9")
    assert "formatting is on or off" in client.send("PRIVMSG *qq :set formatting x")
