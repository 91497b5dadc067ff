"""
A server with a discussion, for tests of requests.
"""

from __future__ import annotations

from txwebqq.testing import MemoryPerson, MemoryWebQQ

ODD = "'; DROP TABLE room; -- \"\\ %_ <script> 😀 عربى end"
"""A text with characters that have a meaning in SQL, HTML or JSON."""


class DiscussionScene:
    """
    Four friends, of whom Alice, Bob and Carol are in a discussion. Eve is in a
    group with Alice and has no friends.
    """

    def __init__(self) -> None:
        self.web = MemoryWebQQ()
        people = self.web.friends("Alice", "Bob", "Carol", "Dave")
        self.alice, self.bob, self.carol, self.dave = people
        self.eve = self.web.person("Eve")
        self.did = self.web.discussion("周末", self.alice, self.bob, self.carol)
        self.web.group("cats", self.alice, self.eve)
        for person in (*people, self.eve):
            person.run()
        self.web.settle()

    def say(self, person: MemoryPerson, text: str) -> None:
        self.web.result(person.protocol.sendDiscussionMessage(self.did, text))
        self.web.settle()

    def names(self, person: MemoryPerson) -> set[str]:
        details = self.web.result(person.protocol.fetchDiscussion(self.did))
        return {member.nick for member in details.members}
