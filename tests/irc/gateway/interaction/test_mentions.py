"""
Mentions: names on QQ, nicks on IRC.
"""

from __future__ import annotations

import pytest

from txwebqq.irc.gateway.interaction.mentions import contentOf, textOf
from txwebqq.irc.gateway.storage.message import OWN_NICK
from txwebqq.model import Content, Face, GroupPicture, Mention, Number, Reply, Text

MING = Mention(Number(10002), "小明")
HUA = Mention(Number(10003), "阿花 🌸")
EVERYBODY = Mention(Number(0), "全体成员")
NICKS = {10002: "ming", 10003: "hua"}
MEMBERS = {"ming": MING, "hua": HUA, "http": MING}


def shown(content: Content, *links: str) -> str:
    return textOf(content, links, lambda mention: NICKS.get(mention.number))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ((Text("hello"),), "hello"),
        ((MING, Text(" hello")), "ming: hello"),
        ((MING,), "ming"),
        ((MING, Text(" "), HUA, Text(" hello")), "ming, hua: hello"),
        ((Text("ask "), MING, Text(" about it")), "ask ming about it"),
        ((Reply(7), MING, Text("hello")), "ming: hello"),
        ((Text("  "), MING, Text("hello")), "ming: hello"),
        ((MING, Face(14)), "ming: [微笑]"),
        ((MING, GroupPicture("a"), GroupPicture("b")), "ming: x [图片]"),
        ((EVERYBODY, Text(" hello")), "@全体成员 hello"),
        ((EVERYBODY, Text(" "), MING, Text(" hi")), "@全体成员 ming hi"),
        ((Mention(Number(10009), "gone"), Text(" hi")), "@gone hi"),
        ((Mention(Number(10009), ""), Text(" hi")), "@10009 hi"),
        ((Mention(Number(10009), f"\n a\nb{OWN_NICK}"), Text(" hi")), "@a b hi"),
        ((Text(f"a{OWN_NICK}b"),), "ab"),
        ((MING, Text(f"a{OWN_NICK}b")), "ming: ab"),
    ],
)
def test_shown(content: Content, text: str) -> None:
    """
    A mention is the nick of the member: at the beginning as IRC users address each
    other. Others than members are C{@} and the name, and nobody can write the
    character that stands for the reader's nick.
    """
    assert shown(content, "x") == text


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("ming: hello", (MING, Text(" hello"))),
        ("ming, hello", (MING, Text(" hello"))),
        ("ming:", (MING,)),
        ("ming, hua: hi", (MING, Text(" "), HUA, Text(" hi"))),
        ("ming: 好[微笑]", (MING, Text(" 好"), Face(14))),
        ("@ming hello", (MING, Text(" hello"))),
        ("ask @ming", (Text("ask "), MING)),
        ("ask @ming, @hua!", (Text("ask "), MING, Text(", "), HUA, Text("!"))),
        ("[微笑] @ming[微笑]", (Face(14), Text(" @ming"), Face(14))),
        ("/me greets @ming", (Text("/me greets "), MING)),
        ("ming: @hua hi", (MING, Text(" "), HUA, Text(" hi"))),
    ],
)
def test_sent(text: str, content: Content) -> None:
    """
    A nick at the beginning with C{:} or C{,} and a space is a mention, and so is
    C{@nick} anywhere.
    """
    assert contentOf(text, MEMBERS.get) == content


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "ming is here",
        "ming:hello",
        "http://example.org",
        "hello ming: hi",
        "hello, ming",
        "nobody: hi",
        "@nobody hi",
        "me@ming",
        "a,b",
        "@",
        "@,",
        ": ming",
    ],
)
def test_notSent(text: str) -> None:
    """
    Other words are no mentions, although they are nicks.
    """
    assert contentOf(text, MEMBERS.get) == (Text(text),)


def test_mentionedOften() -> None:
    """
    The nick of a member whom a message mentions many times is searched for once.
    """
    asked = []

    def nickOf(mention: Mention) -> str | None:
        asked.append(mention.number)
        return NICKS.get(mention.number)

    text = textOf((Text("x"), *[MING, EVERYBODY] * 3), (), nickOf)
    assert text == "x" + "ming@全体成员" * 3
    assert asked == [10002, 0]
