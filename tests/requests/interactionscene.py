"""
A group with an owner, an administrator and two members, for the tests of recalls,
mutes, pokes, reactions and mentions.
"""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from txwebqq.errors import RequestRefused
from txwebqq.model import Code, Gid, GroupMessage, Sent
from txwebqq.requests.messages import Sendable
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryPerson, MemoryWebQQ

E = TypeVar("E")


class Cats:
    """
    Alice owns the cats, Bob is an administrator, Carol and Dave are members; Eve is a
    friend of Alice and no member.

    @param isNew: whether the store does not have the accounts and the group yet.
    """

    def __init__(self, store: Store | None = None, isNew: bool = True) -> None:
        self.web = MemoryWebQQ(store=store)
        names = ("Alice", "Bob", "Carol", "Dave", "Eve")
        self.people = [self.web.person(name) for name in names]
        self.alice, self.bob, self.carol, self.dave, self.eve = self.people
        self.web.befriend(self.alice, self.carol, self.eve)
        self.number = self.web.group("cats", *self.people[:4])
        if isNew:
            self.web.state.store.groups.setFlag(self.number, self.bob.number, 1)
        for person in self.people:
            person.run()
        self.web.settle()
        self.forget()

    def forget(self) -> None:
        """
        Drop all recorded events.
        """
        for person in self.people:
            if person.service.running:
                person.events.clear()

    def gid(self, person: MemoryPerson) -> Gid:
        return person.groupCalled("cats").gid

    def code(self, person: MemoryPerson) -> Code:
        return person.groupCalled("cats").code

    def say(self, person: MemoryPerson, content: Sendable) -> int:
        """
        Send a message to the group.

        @return: its id.
        """
        sent = person.protocol.sendGroupMessage(self.gid(person), content)
        return self.idOf(sent)

    def idOf(self, sent: Deferred[Sent]) -> int:
        return self.web.result(sent).messageId

    def recall(self, person: MemoryPerson, messageId: int) -> None:
        recalled = person.protocol.recallGroupMessage(self.gid(person), messageId)
        self.web.result(recalled)

    def mute(self, person: MemoryPerson, member: MemoryPerson, seconds: int) -> None:
        uin = person.memberOf("cats", member)
        muted = person.protocol.muteMember(self.code(person), uin, seconds)
        self.web.result(muted)

    def muteAll(self, person: MemoryPerson, isMuted: bool) -> None:
        self.web.result(person.protocol.muteGroup(self.code(person), isMuted))

    def refusalOf(self, request: Deferred[Any]) -> str:
        """
        Return the text with which the server refuses a request.
        """
        try:
            self.web.result(request)
        except RequestRefused as e:
            return str(e)
        raise AssertionError("the request was not refused")

    def of(self, person: MemoryPerson, kind: type[E]) -> list[E]:
        """
        Return the events of a kind that an account was given.
        """
        self.web.settle()
        return [event for event in person.events if isinstance(event, kind)]

    def history(self, person: MemoryPerson) -> list[str]:
        """
        Return the texts in the history of the group.
        """
        found = person.protocol.fetchGroupHistory(self.code(person))
        return [each.text for each in self.web.result(found).messages]

    def idsOf(self, person: MemoryPerson) -> list[int]:
        """
        Return the ids of the group messages that an account was given.
        """
        return [message.id for message in self.of(person, GroupMessage)]

    @property
    def waiting(self) -> int:
        """
        The number of events in the database that are not delivered.
        """
        self.web.settle(1)
        return self.web.state.store.database.count("SELECT count(*) FROM letter")
