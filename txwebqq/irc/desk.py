"""
What C{*qq} does for an IRC user: its commands, by the first word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from txwebqq.errors import WebQQError
from txwebqq.irc.history import Entry
from txwebqq.irc.nicks import isNick
from txwebqq.irc.places import Kind, Place
from txwebqq.irc.resident import Resident
from txwebqq.model import Number, Status

HELP = {
    "help": "help: this list",
    "accounts": "accounts: your QQ accounts",
    "status": "status [WORD]: how you appear, or appear so: "
    + ", ".join(status.value for status in Status if status is not Status.OFFLINE),
    "list": "list: your friends and groups",
    "login": "login [NUMBER]: sign an account on again",
    "logout": "logout [NUMBER]: sign it off",
    "search": "search NUMBER: find somebody",
    "add": "add NUMBER [WORDS]: ask somebody to be your friend",
    "requests": "requests: who wants to be your friend",
    "accept": "accept NUMBER: let somebody be your friend, and have them for one",
    "deny": "deny NUMBER [WORDS]: do not",
    "leave": "leave #CHANNEL: leave a group or a discussion, for good",
    "remove": "remove NICK: have somebody for a friend no longer",
    "rename": "rename NICK NEW: call somebody otherwise here",
    "history": "history NICK|#CHANNEL [COUNT]: what was said",
    "captcha": "captcha TEXT: what the picture says",
}


class Owner(Protocol):
    """
    Whose desk this is.
    """

    residents: dict[int, Resident]

    def signOn(self, number: int) -> None:
        """
        Have an account signed on.
        """

    def signOff(self, number: int) -> Deferred[None]:
        """
        Have it signed off; fires when it is.
        """

    def placeNamed(self, name: str) -> Place | None:
        """
        Who or what is called so.
        """

    def rename(self, place: Place, name: str) -> str:
        """
        Call them otherwise; what is wrong with that, or C{""}.
        """

    def latest(self, place: Place, count: int) -> list[Entry]:
        """
        What was said there last.
        """

    def listed(self) -> list[str]:
        """
        Everybody, a line each.
        """

    def gone(self, resident: Resident, place: Place) -> None:
        """
        An account is in a group or a discussion no longer.
        """

    def solve(self, text: str) -> bool:
        """
        Give what somebody has read; whether anybody waits for it.
        """


class Desk:
    """
    Answers commands.

    @param say: tells the user a line.
    """

    def __init__(self, owner: Owner, say: Callable[[str], None]) -> None:
        self._owner = owner
        self._say = say

    async def do(self, text: str) -> None:
        """
        Do what a line says, and tell what came of it.
        """
        name, *words = text.split() or ["help"]
        name = name.lower()
        if name not in HELP:
            self._say(f"There is no command {name[:20]}; help lists them.")
            return
        try:
            await getattr(self, f"_do_{name}")(words)
        except WebQQError as e:
            self._say(f"{name}: that did not work: {e}")
        except _Misused as e:
            self._say(f"{name}: {e}. {HELP[name]}")

    async def _do_help(self, words: Sequence[str]) -> None:
        for line in HELP.values():
            self._say(line)

    async def _do_accounts(self, words: Sequence[str]) -> None:
        for number, resident in self._owner.residents.items():
            state = resident.online.status.value if resident.isOnline else "offline"
            self._say(f"{number} is {state}")

    async def _do_status(self, words: Sequence[str]) -> None:
        if not words:
            await self._do_accounts(words)
            return
        try:
            status = Status(words[0].lower())
        except ValueError as e:
            raise _Misused("that is no status") from e
        for resident in self._owner.residents.values():
            if resident.isOnline:
                await resident.online.setStatus(status)
                self._say(f"{resident.number} is {status.value} now")

    async def _do_list(self, words: Sequence[str]) -> None:
        for line in self._owner.listed() or ["Nobody is known yet."]:
            self._say(line)

    async def _do_login(self, words: Sequence[str]) -> None:
        number = self._account(words).number
        self._owner.signOn(number)
        self._say(f"{number} is being signed on")

    async def _do_logout(self, words: Sequence[str]) -> None:
        number = self._account(words).number
        await self._owner.signOff(number)
        self._say(f"{number} is signed off; login {number} brings it back")

    async def _do_search(self, words: Sequence[str]) -> None:
        person = await self._anybody().online.searchNumber(_number(words))
        self._say(f"{person.number} is {person.nick}: add {person.number} asks them")

    async def _do_add(self, words: Sequence[str]) -> None:
        number = _number(words)
        await self._anybody().online.requestFriendship(number, " ".join(words[1:]))
        self._say(f"{number} has been asked")

    async def _do_requests(self, words: Sequence[str]) -> None:
        asked = [
            f"{number} asks {resident.number}: {notice.text}"
            for resident in self._owner.residents.values()
            for number, notice in resident.requests.items()
        ]
        for line in asked or ["Nobody has asked."]:
            self._say(line)

    async def _do_accept(self, words: Sequence[str]) -> None:
        number = _number(words)
        resident = self._asked(number)
        await resident.online.acceptFriendship(resident.requests[number])
        resident.requests.pop(number, None)
        self._say(f"{number} is your friend")

    async def _do_deny(self, words: Sequence[str]) -> None:
        number = _number(words)
        resident = self._asked(number)
        text = " ".join(words[1:])
        await resident.online.refuseFriendship(resident.requests[number], text)
        resident.requests.pop(number, None)
        self._say(f"{number} has been told no")

    async def _do_remove(self, words: Sequence[str]) -> None:
        place = self._place(words)
        for resident in self._owner.residents.values():
            uin = resident.people.get(place.number)
            if uin is not None:
                await resident.online.removeFriend(uin)
                del resident.people[place.number]
                self._say(f"{words[0]} is no friend of {resident.number} any more")

    async def _do_leave(self, words: Sequence[str]) -> None:
        place = self._place(words)
        if place.kind not in (Kind.GROUP, Kind.DISCUSSION):
            raise _Misused("that is no channel")
        isIn = False
        for resident in self._owner.residents.values():
            if place in resident.rooms:
                isIn = True
                await resident.quit(place)
                self._owner.gone(resident, place)
                self._say(f"{resident.number} has left {words[0]}")
        if not isIn:
            self._say(f"None of your accounts is in {words[0]}.")

    async def _do_rename(self, words: Sequence[str]) -> None:
        place = self._place(words)
        if len(words) != 2 or not (words[1].startswith("#") or isNick(words[1])):
            raise _Misused("the new name is missing, or no name")
        problem = self._owner.rename(place, words[1])
        self._say(problem or f"{words[0]} is {words[1]} from now on")

    async def _do_history(self, words: Sequence[str]) -> None:
        place = self._place(words)
        count = 20
        if len(words) > 1:
            if not (words[1].isascii() and words[1].isdigit()):
                raise _Misused("the count is no number")
            count = max(1, min(int(words[1][:4]), 200))
        for entry in self._owner.latest(place, count):
            when = time.strftime("%m-%d %H:%M", time.localtime(entry.time / 1000))
            self._say(f"[{when}] <{entry.nick}> {entry.text}")

    async def _do_captcha(self, words: Sequence[str]) -> None:
        if not words:
            raise _Misused("the text is missing")
        if not self._owner.solve(words[0]):
            self._say("There is no captcha to read.")

    # ---- who is meant

    def _account(self, words: Sequence[str]) -> Resident:
        residents = self._owner.residents
        if not words and len(residents) == 1:
            return next(iter(residents.values()))
        resident = residents.get(_number(words))
        if resident is None:
            raise _Misused("that is no account of yours")
        return resident

    def _anybody(self) -> Resident:
        for resident in self._owner.residents.values():
            if resident.isOnline:
                return resident
        raise _Misused("no account is signed on")

    def _asked(self, number: Number) -> Resident:
        for resident in self._owner.residents.values():
            if number in resident.requests:
                return resident
        raise _Misused(f"{number} has not asked")

    def _place(self, words: Sequence[str]) -> Place:
        place = self._owner.placeNamed(words[0]) if words else None
        if place is None:
            raise _Misused("nobody is called so")
        return place


class _Misused(Exception):
    """
    A command that lacks something.
    """


def _number(words: Sequence[str]) -> Number:
    if not words or not (words[0].isascii() and words[0].isdigit()):
        raise _Misused("a number is missing")
    return Number(int(words[0][:12]))
