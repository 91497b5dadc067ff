"""
Interfaces of chat servers and of the sessions of their clients, for measures.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from benchmarks.peers.processes import ServerProcess

ACCOUNTS = 10_000
"""Number of registered accounts of each server."""

OFFLINE_FRIENDS = 25
"""Number of friends of each of the first forty accounts that never sign on."""

SENDERS = 40

WAIT = 600
"""Seconds for which polls are held: longer than any measure."""


@dataclass(frozen=True)
class Population:
    """
    The accounts of a server, their friendships and groups.

    @ivar members: the number of members of each group, the first accounts.
    @ivar groups: the number of groups, if they have members.
    @ivar friendCount: the number of friends of each account; 0 for one friend, and more
        for the first accounts.
    """

    members: int = 0
    accounts: int = ACCOUNTS
    groups: int = 1
    friendCount: int = 0

    def friendships(self) -> list[tuple[int, int]]:
        """
        Return all pairs of friends, as indexes of accounts: neighbours, and each
        of the first accounts with some that never sign on; or those with the next ones.
        """
        if self.friendCount:
            return [
                (n, (n + step) % self.accounts)
                for n in range(self.accounts)
                for step in range(1, self.friendCount // 2 + 1)
            ]
        pairs = [(n, n + 1) for n in range(0, self.accounts - 1, 2)]
        for n in range(SENDERS):
            pairs += [(n, friend) for friend in self.offlineFriends(n)]
        return pairs

    def offlineFriends(self, n: int) -> range:
        """
        Return the friends of one of the first accounts that never sign on: some of
        the last accounts.
        """
        first = self.accounts - (n + 1) * OFFLINE_FRIENDS
        return range(first, first + OFFLINE_FRIENDS)

    def friends(self) -> dict[int, list[int]]:
        """
        Return the friends of each account.
        """
        friends: dict[int, list[int]] = {n: [] for n in range(self.accounts)}
        for one, other in self.friendships():
            friends[one].append(other)
            friends[other].append(one)
        return friends


class ChatSession(Protocol):
    """
    A client that is signed on with one account, over HTTP, with a held poll.

    @ivar received: the number of messages received.
    """

    received: int

    def signOn(self) -> None:
        """
        Sign on, fetch the contacts, and hold a poll.
        """

    def joinGroup(self) -> None:
        """
        Enter the group, so that its messages are received.
        """

    def send(self, to: int, text: str) -> None:
        """
        Send a message to the account with an index; does not wait for the reply.
        """

    def sendToGroup(self, text: str) -> None:
        """
        Send a message to the group; does not wait for the reply.
        """

    def awaitSent(self) -> None:
        """
        Read the reply to what was sent.
        """

    def awaitReceived(self, count: int) -> None:
        """
        Read replies to polls, and poll again after each, until the total of
        messages received is C{count}.
        """

    def readPending(self) -> None:
        """
        Read the replies to polls that have arrived, and poll again after each.
        """

    def fileno(self) -> int:
        """
        Return the descriptor of the connection with the held poll.
        """

    def close(self) -> None:
        """
        Close the connections.
        """


class ChatServer(Protocol):
    """
    A running server.

    @ivar port: its HTTP port.
    @ivar echoesGroup: whether the sender of a message to the group receives it.
    """

    process: ServerProcess
    port: int
    echoesGroup: bool

    def session(self, n: int) -> ChatSession:
        """
        Make a client for the account with an index.
        """


class Starter(Protocol):
    """
    Starts one kind of server.
    """

    def check(self) -> None:
        """
        Check that the server can be started.

        @raise Missing: when its program is not installed.
        """

    def __call__(self, population: Population) -> AbstractContextManager[ChatServer]:
        """
        Run the server during a C{with} block.
        """
