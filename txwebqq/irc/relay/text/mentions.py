"""
Mentions: of QQ members in texts of IRC, and of IRC users in texts of QQ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from txwebqq.irc.protocol.nicknames import NickStyle, nickFor
from txwebqq.irc.relay.text.attribution import comparableName, oneWord
from txwebqq.model import Content, Mention, Number, Segment, Text

MAX_NICK = 24
"""Maximum length of the nick of a QQ member on IRC, in bytes."""

MAX_BEGINNINGS = 10
"""Maximum number of beginnings of a word that are compared with the names of members,
half of them the longest and half the shortest."""

GivenMention = tuple[int, str]
"""A mention in a relayed message: the number of the member, 0 where it is known to
be no member of the target, and the name."""

_NAME = re.compile(r"\S{1,60}")
_ADDRESSED = re.compile(r"([^\s:,@]{1,60})[:,] +(?=\S)")
_AT_START = re.compile(r"@(\S{1,60})\s+(?=\S)")
# The end of the nicks of puppets and of C{RELAYMSG}.
_SUFFIX = re.compile(r"[^\w\s]qq$", re.IGNORECASE)


def resolved(
    content: Content, account: int, author: str
) -> tuple[Content, tuple[GivenMention, ...]]:
    """
    Give the mentions of the relay's own account in a reply the name of the author of
    the message that is replied to: on QQ it is the relay that has sent that message.

    @param author: the author, C{""} for no reply.
    @return: the content, and the mentions in it.
    """
    segments: list[Segment] = []
    given: list[GivenMention] = []
    for segment in content:
        isAfterMention = segments and isinstance(segments[-1], Mention)
        if isinstance(segment, Mention):
            if segment.number == account and author:
                segment = Mention(Number(0), oneWord(author))
            given.append((segment.number, segment.name))
        elif (
            isAfterMention and isinstance(segment, Text) and segment.text[:1].isalnum()
        ):
            segment = Text(f" {segment.text}")
        segments.append(segment)
    return tuple(segments), tuple(given)


def addressed(text: str, nickOf: Callable[[str], str]) -> str:
    """
    Write a mention at the beginning of a text as IRC users do: C{bob: hello} for
    C{@bob hello}.

    @param nickOf: returns the nick of a user in the channel by a name, C{""} where
        no user has that name.
    """
    found = _AT_START.match(text)
    nick = nickOf(found[1]) if found else ""
    return f"{nick}: {text[found.end() :]}" if found and nick else text


class MentionFinder:
    """
    Finds the mentions of the members of a group in texts. A name that two members
    have is that of neither.

    @param members: the names by number.
    """

    def __init__(self, members: Mapping[Hashable, str]) -> None:
        self._members = members
        self._numbers: dict[str, int] | None = None

    def find(
        self, text: str, given: Sequence[GivenMention], mayAddress: bool
    ) -> Iterator[str | Mention]:
        """
        Divide a text at its mentions: C{@name} in it, and C{name: } at its beginning.

        @param given: the mentions that its author has made. Nothing else with these
            names is a mention.
        @param mayAddress: whether the text may begin with the name of a member.
        """
        givenNames: dict[str, int] = {}
        for number, name in given:
            if name:
                givenNames.setdefault(name, number)
        # Comparing each sign with each of a thousand names takes seconds.
        lengths = sorted(set(map(len, givenNames)), reverse=True)
        start = end = 0
        address = _ADDRESSED.match(text) if mayAddress else None
        addressed = self._numberOf(address[1]) if address else None
        if address and addressed and address[1] not in givenNames:
            yield self._mentionOf(addressed)
            start = end = address.end() - 1
        while (at := text.find("@", end)) >= 0:
            mention, end = self._mentionAt(text, at, givenNames, lengths)
            if mention is not None:
                if start < at:
                    yield text[start:at]
                yield mention
                start = end
        if start < len(text):
            yield text[start:]

    def _mentionAt(
        self, text: str, at: int, given: Mapping[str, int], lengths: Sequence[int]
    ) -> tuple[Mention | None, int]:
        """
        @param given: the numbers by the given names.
        @param lengths: the lengths of the given names, the greatest first.
        @return: the mention at a position, L{None} for none, and its end.
        """
        for length in lengths:
            name = text[at + 1 : at + 1 + length]
            if name in given:
                number = given[name]
                isMember = number != 0 and number in self._members
                mention = Mention(Number(number), name) if isMember else None
                return mention, at + 1 + len(name)
        found = _NAME.match(text, at + 1)
        # An address of mail has no space before the sign.
        if found is None or (at > 0 and not text[at - 1].isspace()):
            return None, at + 1
        for name in _beginnings(found[0]):
            member = self._numberOf(name)
            if member is not None:
                return self._mentionOf(member), at + 1 + len(name)
        return None, at + 1

    def _mentionOf(self, number: int) -> Mention:
        return Mention(Number(number), self._members[number])

    def _numberOf(self, name: str) -> int | None:
        if self._numbers is None:
            self._numbers = self._numbersByName()
        for each in (name, _SUFFIX.sub("", name)):
            number = self._numbers.get(comparableName(each), 0)
            if number:
                return number
        return None

    def _numbersByName(self) -> dict[str, int]:
        numbers: dict[str, int] = {}
        for number, name in self._members.items():
            assert isinstance(number, int)
            nick = nickFor(name, number, NickStyle.UTF8, (), limit=MAX_NICK)
            for key in {comparableName(name), nick.casefold()}:
                isTaken = numbers.get(key, number) != number
                numbers[key] = 0 if isTaken else number
        return numbers


def _beginnings(token: str) -> Iterator[str]:
    """
    Generate a token, and its beginnings that end before a punctuation mark, the
    longest first; at most L{MAX_BEGINNINGS}.
    """
    yield token
    ends = [
        at
        for at in range(len(token) - 1, 0, -1)
        if not token[at].isalnum() and token[at] not in "_-"
    ]
    if len(ends) > MAX_BEGINNINGS:
        # A text of nothing but such words takes seconds.
        half = MAX_BEGINNINGS // 2
        ends = [*ends[:half], *ends[-half:]]
    for end in ends:
        yield token[:end]
