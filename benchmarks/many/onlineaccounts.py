"""
Many accounts in one process, on a server in another that can be killed and
started again.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.client.accounts import AT_ONCE
from benchmarks.client.ours import service
from benchmarks.machine import ROOT
from benchmarks.processes import cpuOf, freePort, isListening, memoryOf
from txwebqq.model import Account, GroupMessage
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.session.polling import PollService

STALLED = 1200.0
"""Seconds without any progress after which a measure fails. After a restart, all
accounts sign on at the same time, so none is back until most are."""

REPORT = 10.0
"""Seconds between two lines about progress."""

HELD = 2.0
"""Seconds after which a poll without a reply counts as held by the server."""


class ServerProcess:
    """
    C{twistd webqq-server} with a database in a folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._before = 0.0
        self.port = freePort()

    def start(self, *more: str) -> None:
        """
        Start the server; L{isListening} tells when it can be reached.

        @param more: more of its options.
        """
        # All clients of a measure have the same address.
        options = "--message-rate 0 --address-connections 1000000"
        argv = [
            *(sys.executable, "-m", "twisted", "webqq-server"),
            *(*options.split(), "--address-requests", "1000000"),
            *("--listen", f"tcp:{self.port}:interface=127.0.0.1:backlog=8192"),
            *("--database", str(self._folder / "qq.db"), *more),
        ]
        self._process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL)

    @property
    def isListening(self) -> bool:
        """
        Whether the server accepts connections.

        @raise RuntimeError: when it has ended.
        """
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError("the server has ended")
        return isListening(self.port)

    def kill(self) -> None:
        """
        Kill the server, as a loss of power would.
        """
        process, self._process = self._process, None
        if process is not None:
            self._before += cpuOf(process.pid)
            process.kill()
            process.wait()

    def cpu(self) -> float:
        """
        Return the CPU time of the server, that of killed ones included, in
        seconds.
        """
        assert self._process is not None
        return self._before + cpuOf(self._process.pid)

    def memory(self) -> float:
        """
        Return the memory of the server, in KiB.
        """
        assert self._process is not None
        return memoryOf(self._process.pid)


@contextmanager
def server(folder: Path) -> Iterator[ServerProcess]:
    """
    Make a server that ends with the C{with} block.
    """
    process = ServerProcess(folder)
    try:
        yield process
    finally:
        process.kill()


class _Protocol(WebQQProtocol):
    factory: OnlineAccounts

    def signedOn(self) -> None:
        self.factory.online += 1

    def connectionLost(self, reason: object) -> None:
        self.factory.online -= 1

    def groupMessageReceived(self, message: GroupMessage) -> object:
        if message.text == self.factory.text:
            self.factory.heard.add(int(message.recipient))
        return None


class OnlineAccounts(WebQQFactory):
    """
    Many accounts of one server; the first ones are members of a group.

    @ivar online: the number of accounts that are online.
    @ivar heard: the numbers of the accounts that have received L{text}.
    @ivar text: the last message to the group.
    """

    protocol = _Protocol

    def __init__(self, reactor: Any, url: str, accounts: int) -> None:
        self.online = 0
        self.heard: set[int] = set()
        self.text = ""
        self._reactor = reactor
        self._began = time.monotonic()
        self._services = [service(reactor, n, url, self)[0] for n in range(accounts)]

    def buildProtocol(self, account: Account) -> Any:
        return super().buildProtocol(account)

    def report(self, text: str) -> None:
        """
        Write a line about progress to stderr.
        """
        since = time.monotonic() - self._began
        print(f"{since:6.1f} s  {text}", file=sys.stderr, flush=True)

    async def until(
        self, isDone: Callable[[], bool], count: Callable[[], int], what: str
    ) -> None:
        """
        Wait until C{isDone} returns C{True}, with lines about progress.

        @param count: returns a number that changes with progress.
        @param what: what is counted, for the lines.

        @raise RuntimeError: when nothing has changed for L{STALLED} seconds.
        """
        from twisted.internet.task import deferLater

        last, changed, reported = -1, 0.0, time.monotonic()
        while not isDone():
            now, number = time.monotonic(), count()
            if number != last:
                last, changed = number, now
            if now - changed > STALLED:
                raise RuntimeError(
                    f"nothing happened for {STALLED:.0f} s: {number} {what}"
                )
            if now - reported > REPORT:
                reported = now
                self.report(f"{number} {what}")
            await deferLater(self._reactor, 0.05)

    async def signOn(self) -> None:
        """
        Sign all accounts on, some at a time.
        """
        from twisted.internet.defer import DeferredSemaphore, gatherResults

        some = DeferredSemaphore(AT_ONCE)

        async def one(each: Any) -> None:
            each.startService()
            await each.whenSignedOn()

        signedOn = gatherResults([some.run(one, each) for each in self._services])
        await self.until(
            lambda: bool(signedOn.called), lambda: self.online, "signed on"
        )
        await signedOn

    def tickets(self) -> list[str]:
        """
        List the tickets of the accounts, C{""} for one that is not online.
        """
        return [_ticketOf(each) for each in self._services]

    def areBack(self, before: list[str], since: float) -> int:
        """
        Count the accounts that the server knows again after a restart: with a
        new ticket, or with a poll that it holds.

        @param before: the tickets before the restart.
        @param since: the time of the restart, as of the reactor.
        """
        now = self._reactor.seconds()
        count = 0
        for each, old in zip(self._services, before, strict=True):
            ticket = _ticketOf(each)
            if ticket and ticket != old:
                count += 1
            elif ticket:
                poll = next(
                    child
                    for child in each._driver._channel or ()
                    if isinstance(child, PollService)
                )
                count += since < poll._polledAt < now - HELD
        return count

    async def say(self, text: str, members: int) -> float:
        """
        Send a message to the group, again with another text while the server
        does not take it, and wait until all other members have received it.

        @return: the seconds from the last attempt.
        """
        from twisted.internet.task import deferLater

        from txwebqq.errors import WebQQError

        attempt = 0
        while True:
            self.heard.clear()
            self.text = f"{text} {attempt}"
            attempt += 1
            began = time.monotonic()
            try:
                sender: Any = await self._services[0].whenSignedOn()
                [group] = sender.groups.values()
                await sender.sendGroupMessage(group.gid, self.text)
            except WebQQError:
                await deferLater(self._reactor, 0.1)
            else:
                break
        await self.until(
            lambda: len(self.heard) >= members - 1,
            lambda: len(self.heard),
            f"of {members - 1} have received {self.text!r}",
        )
        return time.monotonic() - began


def _ticketOf(each: Any) -> str:
    driver = each._driver
    return "" if driver._channel is None else str(driver._state.ticket.psessionid)
