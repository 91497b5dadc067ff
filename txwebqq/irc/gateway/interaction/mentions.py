"""
Mentions of members: C{@} and a name on QQ, a nick on IRC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from txwebqq.irc.gateway.storage.message import OWN_NICK
from txwebqq.irc.qq.content import contentToText, textToContent
from txwebqq.model import Content, Mention, Reply, Segment, Text

_ADDRESSED = re.compile(r"([^\s:,]+)[:,](?=\s|$)\s*")
_AT = re.compile(r"(?<!\S)@(\S+)")
_PUNCTUATION = ".,:;!?)，。：；！？、）"


def textOf(
    content: Content, links: Iterable[str], nickOf: Callable[[Mention], str | None]
) -> str:
    """
    Convert a content to the text of an IRC message. Mentions of members are their
    nicks: those at the beginning as IRC users address each other, C{nick: text}.

    @param links: as for L{contentToText}.
    @param nickOf: returns the nick of a mentioned member; L{None} for one that is
        to be shown as C{@name}.
    """
    for segment in content:
        if isinstance(segment, Mention):
            return _withNicks(content, links, _askingOnce(nickOf))
    text = contentToText(content, links)
    return text.replace(OWN_NICK, "") if OWN_NICK in text else text


def _askingOnce(
    nickOf: Callable[[Mention], str | None],
) -> Callable[[Mention], str | None]:
    """
    Return a function that asks for the nick of each member once: one may be mentioned
    a thousand times, and is searched for in a large group.
    """
    nicks: dict[int, str | None] = {}

    def askedNick(mention: Mention) -> str | None:
        if mention.number not in nicks:
            nicks[mention.number] = nickOf(mention)
        return nicks[mention.number]

    return askedNick


def _withNicks(
    content: Content, links: Iterable[str], nickOf: Callable[[Mention], str | None]
) -> str:
    rest = [segment for segment in content if not isinstance(segment, Reply)]
    addressed: list[str] = []
    while rest:
        match rest[0]:
            case Mention() as mention if (nick := nickOf(mention)) is not None:
                addressed.append(nick)
            case Text(text) if text.isspace():
                pass
            case _:
                break
        rest.pop(0)
    body = contentToText(tuple(_shown(each, nickOf) for each in rest), links)
    if not addressed:
        return body
    body = body.lstrip()
    names = ", ".join(addressed)
    return f"{names}: {body}" if body else names


def _shown(segment: Segment, nickOf: Callable[[Mention], str | None]) -> Segment:
    match segment:
        case Mention(number, name):
            nick = nickOf(segment)
            # Servers of others may let a name have several lines.
            words = " ".join(name.replace(OWN_NICK, "").split())
            return Text(f"@{words or number}" if nick is None else nick)
        case Text(text) if OWN_NICK in text:
            return Text(text.replace(OWN_NICK, ""))
    return segment


def contentOf(text: str, memberOf: Callable[[str], Mention | None]) -> Content:
    """
    Convert the text of an IRC message to a content, as L{textToContent}, with
    mentions: nicks at the beginning that C{:} or C{,} and a space follow, and
    C{@nick} anywhere.

    @param memberOf: returns the mention of the member with a nick; L{None} for a
        word that is no nick of a member.
    """
    if "@" not in text and _ADDRESSED.match(text) is None:
        # Nearly all texts.
        return textToContent(text)
    segments: list[Segment] = []
    end = 0
    while (found := _ADDRESSED.match(text, end)) is not None:
        mention = memberOf(found[1])
        if mention is None:
            break
        segments += [mention, Text(" ")]
        end = found.end()
    rest, end = text[end:], 0
    if segments:
        segments.pop()
        rest = f" {rest}" if rest else ""
    for found in _AT.finditer(rest):
        word = found[1]
        for name in dict.fromkeys((word, word.rstrip(_PUNCTUATION))):
            mention = memberOf(name) if name else None
            if mention is not None:
                segments += [*textToContent(rest[end : found.start()]), mention]
                end = found.start(1) + len(name)
                break
    return (*segments, *textToContent(rest[end:]))
