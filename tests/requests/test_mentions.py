"""
Mentions and replies, from one client to another.
"""

from __future__ import annotations

import pytest

from tests.requests.interactionscene import Cats
from txwebqq.errors import RequestRefused
from txwebqq.model import (
    BusinessCard,
    Content,
    DiscussionMessage,
    Face,
    GroupMessage,
    Mention,
    Message,
    Number,
    Reply,
    Segment,
    StrangerMessage,
    Text,
)
from txwebqq.server.domain.interaction.mentions import MAX_MENTIONS, MAX_NAME
from txwebqq.testing import MemoryPerson

ALL = Mention(Number(0), "all")
NOBODY = Mention(Number(99999), "Nobody")


@pytest.fixture
def cats() -> Cats:
    return Cats()


def said(cats: Cats, person: MemoryPerson, *content: Segment) -> Content:
    """
    Send a message to the group.

    @return: its content as Dave gets it.
    """
    cats.say(person, content)
    return cats.of(cats.dave, GroupMessage)[-1].content


def test_mention(cats: Cats) -> None:
    """
    A mention of a member arrives as it was sent, and so does a reply to a message.
    """
    first = cats.say(cats.bob, "hello")
    content = (Reply(first), Mention(cats.bob.number, "Bob"), Text(" hello"), Face(14))
    assert said(cats, cats.carol, *content) == content
    [one, two] = cats.of(cats.dave, GroupMessage)
    assert Reply(one.id) in two.content
    assert two.text == "@Bob hello"


def test_nobody(cats: Cats) -> None:
    """
    A mention of an account that is no member is a text; so nobody learns whether
    there is such an account.
    """
    eve = Mention(cats.eve.number, "Eve")
    for mention in (NOBODY, eve):
        content = said(cats, cats.carol, Text("hi "), mention, Text("!"))
        assert content == (Text(f"hi @{mention.name} !"),)
    nameless = Mention(Number(99999), "")
    assert said(cats, cats.carol, nameless) == (Text("@99999"),)


def test_all(cats: Cats) -> None:
    """
    The owner and administrators mention all members, others write it as a text.
    """
    for person in (cats.alice, cats.bob):
        assert said(cats, person, ALL, Text(" tea")) == (ALL, Text(" tea"))
    assert said(cats, cats.carol, ALL, Text("tea")) == (Text("@all tea"),)
    [mention] = said(cats, cats.alice, Mention(Number(0), " "))
    assert mention == Mention(Number(0), "全体成员")
    assert said(cats, cats.carol, Mention(Number(0), "")) == (Text("@全体成员"),)


def test_names(cats: Cats) -> None:
    """
    A mention without a name gets the member's card or nick, and a name is one line
    of limited length.
    """
    nameless = Mention(cats.bob.number, "\r\n")
    assert said(cats, cats.carol, nameless) == (Mention(cats.bob.number, "Bob"),)
    card = BusinessCard(name="Tom")
    cats.web.state.store.groups.setCard(cats.number, cats.bob.number, card)
    assert said(cats, cats.carol, nameless) == (Mention(cats.bob.number, "Tom"),)
    odd = Mention(cats.bob.number, "a\nb\ud83d " + "x" * 999)
    [mention] = said(cats, cats.carol, odd)
    assert isinstance(mention, Mention)
    assert mention.name == ("a b\ufffd " + "x" * 999)[:MAX_NAME]


def test_many(cats: Cats) -> None:
    """
    More mentions of different accounts than the limit are texts, and of several
    replies the first counts.
    """
    others = [Mention(Number(90000 + n), "x") for n in range(MAX_MENTIONS)]
    bob = Mention(cats.bob.number, "Bob")
    [text] = said(cats, cats.carol, *others, bob)
    assert isinstance(text, Text)
    assert text.text.endswith("@x @Bob")
    content = said(cats, cats.carol, *others[1:], bob, bob)
    assert content[1:] == (bob, bob)
    assert said(cats, cats.carol, Reply(1), Text("x"), Reply(2)) == (
        Reply(1),
        Text("x"),
    )


def test_replyAlone(cats: Cats) -> None:
    """
    A reply without anything else is an empty message.
    """
    with pytest.raises(RequestRefused, match="the message is empty"):
        cats.say(cats.carol, [Reply(5)])


def test_friends(cats: Cats) -> None:
    """
    In messages to one account mentions are texts, and replies stay.
    """
    content = (Reply(5), Mention(cats.carol.number, "Carol"), Text("hi"))
    expected = (Reply(5), Text("@Carol hi"))
    cats.alice.tell(cats.carol, content)
    [message] = cats.of(cats.carol, Message)
    assert message.content == expected
    uin, gid = cats.carol.memberOf("cats", cats.dave), cats.gid(cats.carol)
    cats.web.result(cats.carol.protocol.sendStrangerMessage(uin, content, group=gid))
    [stranger] = cats.of(cats.dave, StrangerMessage)
    assert stranger.content == expected


def test_discussion(cats: Cats) -> None:
    """
    In a discussion its members are mentioned, and all of them by its owner.
    """
    did = cats.web.discussion("trip", cats.alice, cats.bob, cats.dave)
    bob, carol = (Mention(p.number, p.nick) for p in (cats.bob, cats.carol))
    nameless = Mention(cats.bob.number, "")
    for person, content, expected in (
        (cats.bob, (bob, carol), (bob, Text("@Carol"))),
        (cats.bob, (nameless,), (bob,)),
        (cats.bob, (ALL,), (Text("@all"),)),
        (cats.alice, (ALL,), (ALL,)),
    ):
        cats.web.result(person.protocol.sendDiscussionMessage(did, content))
        assert cats.of(cats.dave, DiscussionMessage)[-1].content == expected


def test_history(cats: Cats) -> None:
    """
    The history has the segments, also before the first poll.
    """
    content = (Reply(5), Mention(cats.bob.number, "Bob"), Text(" x"))
    cats.say(cats.carol, content)
    history = cats.dave.protocol.fetchGroupHistory(cats.code(cats.dave))
    [past] = cats.web.result(history).messages
    assert past.content == content
