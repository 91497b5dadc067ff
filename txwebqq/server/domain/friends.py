"""
Friendships: who may have whom for a friend, and who is told of it.

Somebody's friend list is their own: one person may keep another who does not
keep them. Either of the two may write to the other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from txwebqq.model import (
    ANYBODY,
    NOBODY,
    WHO_ANSWERS,
    WHO_ANSWERS_AND_ASKS,
    WHO_ASKS,
    FriendshipStep,
    Number,
    Policy,
    Status,
    Uin,
)
from txwebqq.ratelimit import HOUR, RateLimiter
from txwebqq.server.domain.refusals import NO_SUCH_ID, tooLong
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import FRIENDSHIP_NOTICE, ROSTER_CHANGE
from txwebqq.server.records import (
    HIGHEST_NUMBER,
    AccountRecord,
    CategoryRecord,
    FriendRequestRecord,
)
from txwebqq.server.sessions.sessions import Random, Session, token
from txwebqq.wire.command import Refusal

TOO_MANY = 6
"""The retcode of an account that befriends people too fast (protocol.md 6)."""

MAX_FRIENDS = 5000
MAX_CATEGORIES = 255
MAX_CATEGORY_NAME = 64
MAX_MARKNAME = 128
MAX_TEXT = 1000
MAX_ASKED = 1000
"""So many people may wait for the answer of one."""

MAX_ASKING = 200
"""For so many answers one may wait."""

PATIENCE = 3600
"""The seconds after which somebody may be asked anew who has not answered."""

TOKEN_LIFE = 3600.0

ASKED_PER_HOUR = 60

MAX_REMEMBERED = 10_000

_SYSTEM = Number(10000)

UNKNOWN = Refusal(NO_SUCH_ID, "tuin is nobody's uin whom you know")

_NOT_FRIEND = Refusal(NO_SUCH_ID, "tuin is nobody's uin in your friend list")
_NO_CATEGORY = Refusal(NO_SUCH_ID, "there is no such category")
_NOT_ASKED = Refusal(NO_SUCH_ID, "account has not asked to be your friend")


def policyOf(account: AccountRecord) -> Policy:
    """
    Who may befriend somebody.
    """
    allow = account.profile.get("allow", WHO_ASKS)
    command = ""
    if allow in (WHO_ANSWERS, WHO_ANSWERS_AND_ASKS):
        command = account.profile.get("question", "")
    return Policy(allow, command)


class FriendRules:
    """
    The rules of friendships.

    Whatever changes something returns L{None} when it has, else why not.

    @param now: the time in Unix seconds.
    """

    def __init__(
        self, state: ServerState, now: Callable[[], float], random: Random
    ) -> None:
        self._state = state
        self._store = state.store
        self._now = now
        self._random = random
        self._key = random.getrandbits(256).to_bytes(32, "big")
        self._asking = RateLimiter(now, ASKED_PER_HOUR, HOUR)
        self._found: OrderedDict[tuple[Number, Number], None] = OrderedDict()

    # ---- finding

    def knows(self, session: Session, number: Number) -> bool:
        """
        Whether somebody may look another one up: who is acquainted with them,
        and who has found them.
        """
        if self._store.areAcquainted(session.number, number):
            return True
        return (session.number, number) in self._found

    def find(self, session: Session, name: str) -> AccountRecord | None:
        """
        Whoever has a number, or tells a mail address.
        """
        account = self._find(name.strip())
        if account is not None:
            self._found[session.number, account.number] = None
            if len(self._found) > MAX_REMEMBERED:
                self._found.popitem(last=False)
        return account

    def _find(self, name: str) -> AccountRecord | None:
        if name.isascii() and name.isdigit() and len(name) <= 10:
            number = int(name)
            return self._store.accounts.get(Number(number)) if number else None
        return self._store.accounts.byEmail(name) if "@" in name else None

    def proof(self, asker: Number, number: Number) -> str:
        """
        A token that proves that somebody has looked another one up.
        """
        return self._proof(asker, number, int(self._now() // TOKEN_LIFE))

    def _proof(self, asker: Number, number: Number, window: int) -> str:
        said = f"{asker} {number} {window}".encode()
        return hmac.digest(self._key, said, hashlib.sha256).hex()[:48]

    def _isProven(self, asker: Number, number: Number, proof: str) -> bool:
        window = int(self._now() // TOKEN_LIFE)
        return any(
            hmac.compare_digest(
                self._proof(asker, number, window - n).encode(), proof.encode()
            )
            for n in range(2)
        )

    # ---- telling

    def _tell(
        self,
        step: FriendshipStep,
        to: Number,
        other: Number,
        text: str = "",
        category: int = 0,
        allow: int = WHO_ASKS,
        signature: str = "",
    ) -> None:
        status = self._state.presence.visibleStatus(other)
        event = FRIENDSHIP_NOTICE.new(
            step=step.value,
            other=other,
            sequence=self._state.messageIds.next(_SYSTEM).messageId,
            text=text,
            category=category,
            allow=allow,
            status=status.code,
            signature=signature,
        )
        self._state.router.route(event, [to])

    def _addFriend(
        self, owner: Number, friend: Number, category: int, markname: str = ""
    ) -> None:
        """
        Put somebody into another one's list, and let the owner see them.
        """
        if category and self._category(owner, category) is None:
            # Gone since it was chosen.
            category = 0
        self._store.friends.add(owner, friend, category, markname)
        session = self._state.sessions.online(owner)
        status = self._state.presence.visibleStatus(friend)
        if session is not None and status is not Status.OFFLINE:
            session.mailbox.presence[friend] = status
        event = ROSTER_CHANGE.new(other=friend, added=True, category=category)
        self._state.router.route(event, [owner])

    # ---- asking

    def ask(
        self,
        session: Session,
        account: Number,
        token: str,
        text: str,
        category: int = 0,
        markname: str = "",
        welcome: bool = True,
        needsNone: bool = False,
    ) -> Refusal | None:
        """
        Want somebody for a friend; whoever lets anybody is one at once.

        @param text: what to tell them, or the answer to their question.
        @param welcome: whether they may have the asker in return, unasked.
        @param needsNone: whether the asker believes that they let anybody.
        """
        asker = session.number
        refusal = tooLong(
            msg=(text, MAX_TEXT), mname=(markname, MAX_MARKNAME)
        ) or self._mayAsk(asker, account, token, category)
        if refusal is not None:
            return refusal
        person = self._store.accounts.get(account)
        if person is None:
            return Refusal(NO_SUCH_ID, "account is nobody's number")
        back = self._store.friends.request(asker, account)
        if back is not None and back.hasAdded:
            self._store.friends.deleteRequest(asker, account)
            self._addAtOnce(asker, account, category, markname, welcome=False)
            return None
        policy = policyOf(person)
        if policy.allow == NOBODY:
            return Refusal(NO_SUCH_ID, "they want to be nobody's friend")
        answers = policy.allow in (WHO_ANSWERS, WHO_ANSWERS_AND_ASKS)
        if answers and not self._isRight(person, text):
            return Refusal(NO_SUCH_ID, "that is not the answer to their question")
        if policy.allow in (ANYBODY, WHO_ANSWERS):
            self._addAtOnce(asker, account, category, markname, welcome)
            return None
        if needsNone:
            return Refusal(NO_SUCH_ID, "they want to be asked")
        return self._request(person, asker, text, category)

    def _mayAsk(
        self, asker: Number, account: Number, token: str, category: int
    ) -> Refusal | None:
        if account == asker:
            return Refusal(NO_SUCH_ID, "account is your own")
        if not 0 < account <= HIGHEST_NUMBER:
            return Refusal(NO_SUCH_ID, "account is nobody's number")
        if not self._isProven(asker, account, token):
            return Refusal(NO_SUCH_ID, "token is not from a search for account")
        if category and self._category(asker, category) is None:
            return _NO_CATEGORY
        if self._store.friends.entry(asker, account) is not None:
            return Refusal(NO_SUCH_ID, "account is your friend")
        if self._store.friends.count(asker) >= MAX_FRIENDS:
            return Refusal(NO_SUCH_ID, f"you have {MAX_FRIENDS} friends")
        if not self._asking.take(asker):
            return Refusal(TOO_MANY, "you have asked too many people in an hour")
        return None

    def _isRight(self, account: AccountRecord, answer: str) -> bool:
        expected = str(account.profile.get("answer", ""))
        if not expected:
            # Only whoever is asked can say what is right.
            return policyOf(account).allow == WHO_ANSWERS_AND_ASKS
        return answer.strip().casefold() == expected.strip().casefold()

    def _addAtOnce(
        self,
        asker: Number,
        account: Number,
        category: int,
        markname: str,
        welcome: bool,
    ) -> None:
        self._addFriend(asker, account, category, markname)
        self._tell(FriendshipStep.PASSED, asker, account, category=category)
        if self._store.friends.entry(account, asker) is not None:
            return
        signature = ""
        if welcome:
            signature = token(self._random, 48)
            self._store.friends.addRequest(
                FriendRequestRecord(
                    account, asker, "", category, int(self._now()), hasAdded=True
                )
            )
        step = FriendshipStep.ADDED if welcome else FriendshipStep.ADDED_UNSIGNED
        self._tell(step, account, asker, signature=signature)

    def _request(
        self, account: AccountRecord, asker: Number, text: str, category: int
    ) -> Refusal | None:
        number = account.number
        now = int(self._now())
        before = self._store.friends.request(number, asker)
        request = FriendRequestRecord(number, asker, text, category, now)
        if before is not None and now - before.time < PATIENCE:
            # They have been told, and are not told again of every try.
            self._store.friends.addRequest(replace(request, time=before.time))
            return None
        if (
            before is None
            and self._store.friends.receivedRequestCount(number) >= MAX_ASKED
        ):
            return Refusal(NO_SUCH_ID, "too many people wait for their answer")
        if before is None and self._store.friends.sentRequestCount(asker) >= MAX_ASKING:
            return Refusal(TOO_MANY, "you wait for too many answers")
        self._store.friends.addRequest(request)
        allow = policyOf(account).allow
        self._tell(FriendshipStep.REQUESTED, number, asker, text, allow=allow)
        return None

    # ---- answering

    def accept(
        self,
        session: Session,
        account: Number,
        addsBack: bool,
        category: int = 0,
        markname: str = "",
    ) -> Refusal | None:
        """
        Let somebody have one for a friend who has asked, or have somebody for
        a friend in return who has not had to.
        """
        me = session.number
        request = self._store.friends.request(me, account)
        if request is None or self._store.accounts.get(account) is None:
            return _NOT_ASKED
        refusal = tooLong(mname=(markname, MAX_MARKNAME))
        if refusal is not None:
            return refusal
        if category and self._category(me, category) is None:
            return _NO_CATEGORY
        keepsAsker = self._store.friends.entry(me, account) is not None
        if addsBack and not keepsAsker and self._isFull(me):
            return Refusal(NO_SUCH_ID, f"you have {MAX_FRIENDS} friends")
        isKept = self._store.friends.entry(account, me) is not None
        if not isKept and self._isFull(account):
            return Refusal(NO_SUCH_ID, f"account has {MAX_FRIENDS} friends")
        self._store.friends.deleteRequest(me, account)
        if addsBack:
            # Both may have asked each other.
            self._store.friends.deleteRequest(account, me)
            if not keepsAsker:
                self._addFriend(me, account, category, markname)
        step = FriendshipStep.PASSED_AND_ADDED if addsBack else FriendshipStep.PASSED
        if not isKept:
            self._addFriend(account, me, request.category)
        kept = self._store.friends.entry(account, me)
        where = request.category if kept is None else kept.category
        self._tell(step, account, me, category=where)
        return None

    def _isFull(self, number: Number) -> bool:
        return self._store.friends.count(number) >= MAX_FRIENDS

    def refuse(self, session: Session, account: Number, text: str) -> Refusal | None:
        """
        Not let somebody have one for a friend who has asked.
        """
        request = self._store.friends.request(session.number, account)
        if request is None:
            return _NOT_ASKED
        refusal = tooLong(msg=(text, MAX_TEXT))
        if refusal is not None:
            return refusal
        self._store.friends.deleteRequest(session.number, account)
        if not request.hasAdded:
            self._tell(FriendshipStep.REJECTED, account, session.number, text)
        return None

    # ---- keeping

    def _friendOf(self, session: Session, uin: Uin) -> Number | None:
        number = session.sessionIds.person(uin)
        if number is None or self._store.friends.entry(session.number, number) is None:
            return None
        return number

    def rename(self, session: Session, uin: Uin, markname: str) -> Refusal | None:
        """
        Call a friend otherwise.
        """
        friend = self._friendOf(session, uin)
        if friend is None:
            return _NOT_FRIEND
        refusal = tooLong(markname=(markname, MAX_MARKNAME))
        if refusal is not None:
            return refusal
        kept = self._store.friends.entry(session.number, friend)
        assert kept is not None
        self._store.friends.update(session.number, friend, kept.category, markname)
        return None

    def move(self, session: Session, uin: Uin, category: int) -> Refusal | None:
        """
        Put a friend into another category.
        """
        friend = self._friendOf(session, uin)
        if friend is None:
            return _NOT_FRIEND
        if category and self._category(session.number, category) is None:
            return _NO_CATEGORY
        kept = self._store.friends.entry(session.number, friend)
        assert kept is not None
        self._store.friends.update(session.number, friend, category, kept.markname)
        return None

    def remove(self, session: Session, uin: Uin, both: bool) -> Refusal | None:
        """
        Have somebody for a friend no longer.

        @param both: whether they are not to have one either.
        """
        friend = self._friendOf(session, uin)
        if friend is None:
            return _NOT_FRIEND
        self._removeFriend(session.number, friend)
        if both and self._store.friends.entry(friend, session.number) is not None:
            self._removeFriend(friend, session.number)
        return None

    def _removeFriend(self, owner: Number, friend: Number) -> None:
        self._store.friends.remove(owner, friend)
        session = self._state.sessions.existing(owner)
        if session is not None:
            session.mailbox.presence.pop(friend, None)
        event = ROSTER_CHANGE.new(other=friend, added=False)
        self._state.router.route(event, [owner])

    # ---- categories

    def _category(self, owner: Number, index: int) -> CategoryRecord | None:
        categories = self._store.friends.categories(owner)
        return next((d for d in categories if d.index == index), None)

    def createCategory(self, session: Session, name: str) -> CategoryRecord | Refusal:
        """
        Add a category.
        """
        refusal = self._refuseName(name)
        if refusal is not None:
            return refusal
        categories = self._store.friends.categories(session.number)
        if len(categories) >= MAX_CATEGORIES:
            return Refusal(NO_SUCH_ID, f"you have {MAX_CATEGORIES} categories")
        taken = {category.index for category in categories}
        index = next(n for n in range(1, MAX_CATEGORIES + 1) if n not in taken)
        sort = max((drawer.sort for drawer in categories), default=0) + 1
        drawer = CategoryRecord(index, name, sort)
        self._store.friends.setCategory(session.number, drawer)
        return drawer

    def renameCategory(self, session: Session, index: int, name: str) -> Refusal | None:
        """
        Call a category otherwise.
        """
        category = self._category(session.number, index)
        if category is None:
            return _NO_CATEGORY
        refusal = self._refuseName(name)
        if refusal is not None:
            return refusal
        self._store.friends.setCategory(session.number, replace(category, name=name))
        return None

    def _refuseName(self, name: str) -> Refusal | None:
        if not name.strip():
            return Refusal(NO_SUCH_ID, "name is empty")
        return tooLong(name=(name, MAX_CATEGORY_NAME))

    def sortCategory(self, session: Session, index: int, sort: int) -> Refusal | None:
        """
        Put a category elsewhere.
        """
        category = self._category(session.number, index)
        if category is None:
            return _NO_CATEGORY
        if not 0 <= sort <= 0xFFFF:
            return Refusal(NO_SUCH_ID, "sort is not from 0 to 65535")
        self._store.friends.setCategory(session.number, replace(category, sort=sort))
        return None

    def removeCategory(self, session: Session, index: int) -> Refusal | None:
        """
        Remove a category; whoever is in it goes into the first.
        """
        if self._category(session.number, index) is None:
            return _NO_CATEGORY
        self._store.friends.removeCategory(session.number, index)
        return None
