"""
The work that is measured on chat servers.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from benchmarks.peers.chat import SENDERS, ChatServer, ChatSession, Population, Starter
from benchmarks.peers.connection import HTTPConnection
from benchmarks.peers.webqq import WebQQStarter
from benchmarks.peers.xmpp import EjabberdStarter, ProsodyStarter
from benchmarks.processes import allowFiles

TEXT = "hello there, how are you {:05d}"
"""Thirty characters."""

QUIET = 0.5
"""Seconds of silence after which a server has answered everything."""

TOGETHER = 16
"""Number of clients that sign on at once before a measure."""

STARTERS: dict[str, Starter] = {
    "ours": WebQQStarter(),
    "prosody": ProsodyStarter(),
    "ejabberd": EjabberdStarter(isArchiving=False),
    "ejabberd-archive": EjabberdStarter(isArchiving=True),
}


def signedOn(server: ChatServer, count: int) -> list[ChatSession]:
    """
    Sign on the first accounts, and read what servers say to clients at first, such
    as the presence of friends.
    """
    sessions = [server.session(n) for n in range(count)]
    together(_signOn, sessions)
    settle(sessions)
    return sessions


def together(
    step: Callable[[ChatSession], object], sessions: list[ChatSession]
) -> None:
    """
    Take a step with sessions, several at once: servers may send a reply in two
    parts, the second of which waits for the client's system to acknowledge the
    first.
    """
    with ThreadPoolExecutor(TOGETHER) as pool:
        for _ in pool.map(step, sessions):
            pass


def _signOn(session: ChatSession) -> None:
    session.signOn()


def _joinGroup(session: ChatSession) -> None:
    session.joinGroup()


def settle(sessions: list[ChatSession]) -> None:
    """
    Read all replies to polls that are on their way.
    """
    for _ in range(2):
        time.sleep(QUIET)
        for session in sessions:
            session.readPending()
    time.sleep(QUIET)


class Barrier:
    """
    A request whose reply tells that what was sent before it has arrived.
    """

    def __init__(self, server: ChatServer) -> None:
        self._connection = HTTPConnection(server.port, "text/plain")

    def wait(self) -> None:
        """
        Send the request and read its reply.
        """
        self._connection.get("/")


def messages(peer: str, messages: int) -> float:
    """
    Measure the messages of friends per second of the server's CPU time: twenty
    pairs of forty sessions, each message a send, its push to a held poll, and the
    next poll.
    """
    with STARTERS[peer](Population()) as server:
        sessions = signedOn(server, SENDERS)
        pairs = list(zip(sessions[::2], sessions[1::2], strict=True))
        barrier = Barrier(server)
        rounds = messages // len(pairs)
        # The first messages are not measured: the server loads code and contacts.
        warm = 1 + rounds // 10
        before = 0.0
        for n in range(warm + rounds):
            barrier.wait()
            if n == warm:
                before = server.process.cpu()
            for at, (sender, _) in enumerate(pairs):
                sender.send(2 * at + 1, TEXT.format(n))
            for sender, recipient in pairs:
                sender.awaitSent()
                recipient.awaitReceived(n + 1)
        settle(sessions)
        used = server.process.cpu() - before
        return rounds * len(pairs) / used


def delay(peer: str, messages: int, pause: float) -> float:
    """
    Measure the median time from a send to the arrival of the message at a held
    poll, in milliseconds, with a pause before each message.
    """
    with STARTERS[peer](Population()) as server:
        sessions = signedOn(server, SENDERS)
        sender, recipient = sessions[0], sessions[1]
        delays = []
        for n in range(messages):
            time.sleep(pause)
            poller = select.poll()
            poller.register(recipient.fileno(), select.POLLIN)
            text = TEXT.format(n)
            start = time.perf_counter()
            sender.send(1, text)
            poller.poll(60_000)
            delays.append(time.perf_counter() - start)
            recipient.awaitReceived(n + 1)
            sender.awaitSent()
        return median(delays) * 1e3


def held(peer: str, sessions: int) -> dict[str, float]:
    """
    Measure the memory for each session with a held poll, in KiB: the share (PSS),
    and RSS.
    """
    allowFiles(sessions + 500)
    with STARTERS[peer](Population()) as server:
        # What the first ones cost is not measured: the server loads code for them.
        some = signedOn(server, 10)
        rssBefore, shareBefore = server.process.memory()
        more = [server.session(n) for n in range(10, 10 + sessions)]
        together(_signOn, more)
        settle(some + more)
        rss, share = server.process.memory()
        return {
            "": (share - shareBefore) / sessions,
            "rss": (rss - rssBefore) / sessions,
        }


def whole(peer: str, sessions: int) -> float:
    """
    Measure the memory of a server with sessions that have a held poll, in MiB (PSS).
    """
    allowFiles(sessions + 500)
    with STARTERS[peer](Population()) as server:
        held = signedOn(server, sessions)
        _, share = server.process.memory()
        for session in held:
            session.close()
        return share / 1024


def group(peer: str, members: int, messages: int) -> float:
    """
    Measure the CPU time for each recipient of a message to a group whose members
    all have a held poll, including the next poll, in microseconds.
    """
    allowFiles(2 * members + 500)
    with STARTERS[peer](Population(members=members)) as server:
        sessions = signedOn(server, members)
        # The first one makes the group, where it does not exist yet.
        sessions[0].joinGroup()
        together(_joinGroup, sessions[1:])
        settle(sessions)
        barrier = Barrier(server)
        sender, others = sessions[0], sessions[1:]
        recipients = sessions if server.echoesGroup else others
        start = [session.received for session in recipients]
        used = 0.0
        for n in range(messages + 1):
            barrier.wait()
            if n == 1:
                # The first message does not count: the server loads the group.
                used = -server.process.cpu()
            sender.sendToGroup(TEXT.format(n))
            sender.awaitSent()
            for recipient, first in zip(recipients, start, strict=True):
                recipient.awaitReceived(first + n + 1)
        settle(sessions)
        used += server.process.cpu()
        return used / messages / len(recipients) * 1e6


def offline(peer: str, messages: int) -> float:
    """
    Measure the CPU time of a message to an account that is not signed on, in
    microseconds: forty senders, twenty-five friends of each.
    """
    population = Population()
    with STARTERS[peer](population) as server:
        sessions = signedOn(server, SENDERS)
        rounds = messages // SENDERS
        warm = 1 + rounds // 10
        before = 0.0
        for n in range(warm + rounds):
            if n == warm:
                before = server.process.cpu()
            for at, sender in enumerate(sessions):
                friends = population.offlineFriends(at)
                sender.send(friends[n % len(friends)], TEXT.format(n))
            for sender in sessions:
                sender.awaitSent()
        time.sleep(QUIET)
        used = server.process.cpu() - before
        return used / rounds / SENDERS * 1e6


def waiting(peer: str, accounts: int, messages: int) -> float:
    """
    Measure the CPU time of a sign-on with waiting messages of one friend, until
    all of them are received and acknowledged, in milliseconds.
    """
    with STARTERS[peer](Population()) as server:
        senders = [server.session(2 * n) for n in range(accounts)]
        together(_signOn, senders)
        for n in range(messages):
            for at, sender in enumerate(senders):
                sender.send(2 * at + 1, TEXT.format(n))
            for sender in senders:
                sender.awaitSent()
        settle(senders)
        recipients = [server.session(2 * n + 1) for n in range(accounts)]
        used = 0.0
        for n, recipient in enumerate(recipients):
            if n == 1 + accounts // 10:
                # The first ones do not count: the server loads code for them.
                used = -server.process.cpu()
            recipient.signOn()
            recipient.awaitReceived(messages)
        settle(recipients)
        used += server.process.cpu()
        measured = accounts - 1 - accounts // 10
        return used / measured * 1e3
