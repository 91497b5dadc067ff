"""
Rules of friend lists: searches, friend requests, friends and categories
(protocol.md 2.4).

Each account has its own friend list, so a friend need not list the account in return.
Both may send messages to the other.
"""

from __future__ import annotations

import hashlib
import hmac
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
from txwebqq.ratelimit import HOUR
from txwebqq.server.domain.refusals import BLOCKED, NO_SUCH_ID, tooLong
from txwebqq.server.domain.router import SYSTEM
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.kinds import FRIEND_EDIT, FRIENDSHIP_NOTICE, ROSTER_CHANGE
from txwebqq.server.records import (
    HIGHEST_NUMBER,
    AccountRecord,
    CategoryRecord,
    FriendRequestRecord,
)
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Random, token
from txwebqq.server.storage.store import Attitude
from txwebqq.wire.command import Refusal

TOO_MANY = 6
"""The retcode of an account that befriends people too fast (protocol.md 6)."""

MAX_FRIENDS, MAX_CATEGORIES = 5000, 255
"""Maximum numbers of friends and categories of an account."""

MAX_CATEGORY_NAME, MAX_MARKNAME, MAX_TEXT = 64, 128, 1000
"""Maximum lengths of texts, in characters."""

MAX_RECEIVED = 1000
"""Maximum number of open friend requests to an account."""

MAX_SENT = 200
"""Maximum number of open friend requests from an account."""

REPEAT_AFTER = 3600
"""Time after which a repeated friend request is notified again, in seconds."""

TOKEN_LIFE = 3600.0
"""Time for which the token of a search is valid, in seconds; at most twice that."""

REQUESTS_PER_HOUR = 60
"""Maximum number of friend requests of an account within an hour."""

EDITS_PER_HOUR = 60
"""Maximum number of changes of a profile that friends are told of within an hour."""

FOUND_LIFE = 24 * HOUR
"""Time for which an account may see another one that it has found, in seconds."""

UNKNOWN = Refusal(NO_SUCH_ID, "tuin is not the uin of an account that you know")

_NOT_FRIEND = Refusal(NO_SUCH_ID, "tuin is not the uin of a friend")
_NO_CATEGORY = Refusal(NO_SUCH_ID, "there is no such category")
_NOT_ASKED = Refusal(NO_SUCH_ID, "account has not asked to be your friend")


def policyOf(account: AccountRecord) -> Policy:
    """
    Return the policy of an account for friend requests.
    """
    allow = account.profile.get("allow", WHO_ASKS)
    question = ""
    if allow in (WHO_ANSWERS, WHO_ANSWERS_AND_ASKS):
        question = account.profile.get("question", "")
    return Policy(allow, question)


class FriendRules:
    """
    The rules of friend lists.

    A method that changes a friend list returns L{None} when it has, else the refusal.

    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self, state: ServerState, now: Callable[[], float], random: Random
    ) -> None:
        self._state = state
        self._store = state.store
        self._now = now
        self._random = random
        self._key = state.makeKey("friend requests")
        self._edits = state.makeLimiter("edit", EDITS_PER_HOUR, HOUR)
        self._requests = state.makeLimiter("request", REQUESTS_PER_HOUR, HOUR)
        # Taken by each pair of an account and another one that it has found.
        self._found = state.makeLimiter("found", 1, FOUND_LIFE)

    def knows(self, session: Session, number: Number) -> bool:
        """
        Check whether an account may see another one: its friends, the members of
        its groups and discussions, and its search results.
        """
        if self._store.areAcquainted(session.number, number):
            return True
        return not self._found.hasCapacity((session.number, number))

    def find(self, session: Session, name: str) -> AccountRecord | None:
        """
        Find an account by its number, or by the mail address in its profile.
        """
        account = self._find(name.strip())
        if account is not None:
            self._found.take((session.number, account.number))
        return account

    def _find(self, name: str) -> AccountRecord | None:
        if name.isascii() and name.isdigit() and len(name) <= 10:
            number = int(name)
            return self._store.accounts.get(Number(number)) if number else None
        return self._store.accounts.byEmail(name) if "@" in name else None

    def proof(self, asker: Number, number: Number) -> str:
        """
        Return a token that proves that an account has searched for another one.
        """
        return self._proof(asker, number, int(self._now() // TOKEN_LIFE))

    def _proof(self, asker: Number, number: Number, window: int) -> str:
        text = f"{asker} {number} {window}".encode()
        return hmac.digest(self._key(), text, hashlib.sha256).hex()[:48]

    def _isProven(self, asker: Number, number: Number, proof: str) -> bool:
        window = int(self._now() // TOKEN_LIFE)
        return any(
            hmac.compare_digest(
                self._proof(asker, number, window - n).encode(), proof.encode()
            )
            for n in range(2)
        )

    def _notify(
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
            sequence=self._state.messageIds.next(SYSTEM).messageId,
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
        Add a friend to a friend list, and show the friend's status to its owner.
        """
        if category and self._category(owner, category) is None:
            # The category was deleted after the request.
            category = 0
        self._store.friends.add(owner, friend, category, markname)
        session = self._state.sessions.online(owner)
        status = self._state.presence.visibleStatus(friend)
        if session is not None and status is not Status.OFFLINE:
            session.mailbox.presence[friend] = status
        event = ROSTER_CHANGE.new(other=friend, added=True, category=category)
        self._state.router.route(event, [owner])

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
        Send a friend request, or add the friend when the policy of the other account
        needs no confirmation.

        @param text: a text for the other account, or the answer to its question.
        @param welcome: whether the other account may add the asker without a request.
        @param needsNone: whether the asker expects that no confirmation is needed.
        """
        asker = session.number
        refusal = tooLong(
            msg=(text, MAX_TEXT), mname=(markname, MAX_MARKNAME)
        ) or self._mayAsk(asker, account, token, category)
        if refusal is not None:
            return refusal
        record = self._store.accounts.get(account)
        if record is None:
            return Refusal(NO_SUCH_ID, "account is not the number of an account")
        back = self._store.friends.request(asker, account)
        if back is not None and back.hasAdded:
            self._store.friends.deleteRequest(asker, account)
            self._addAtOnce(asker, account, category, markname, welcome=False)
            return None
        if back is not None:
            # The other account has sent a request as well: this one accepts it.
            refusal = self.accept(session, account, True, category, markname)
            if refusal is None:
                step = FriendshipStep.PASSED_AND_ADDED
                self._notify(step, asker, account, category=category)
            return refusal
        policy = policyOf(record)
        if policy.allow == NOBODY:
            return Refusal(NO_SUCH_ID, "the account accepts no friend requests")
        answers = policy.allow in (WHO_ANSWERS, WHO_ANSWERS_AND_ASKS)
        if answers and not self._isRight(record, text):
            return Refusal(NO_SUCH_ID, "that is not the answer to their question")
        if policy.allow in (ANYBODY, WHO_ANSWERS):
            self._addAtOnce(asker, account, category, markname, welcome)
            return None
        if needsNone:
            return Refusal(NO_SUCH_ID, "they want to be asked")
        return self._request(record, asker, text, category)

    def _mayAsk(
        self, asker: Number, account: Number, token: str, category: int
    ) -> Refusal | None:
        if account == asker:
            return Refusal(NO_SUCH_ID, "account is your own")
        if not 0 < account <= HIGHEST_NUMBER:
            return Refusal(NO_SUCH_ID, "account is not the number of an account")
        if self._store.attitude(account, asker) is Attitude.BLOCKED:
            return BLOCKED
        if not self._isProven(asker, account, token):
            return Refusal(NO_SUCH_ID, "token is not from a search for account")
        if category and self._category(asker, category) is None:
            return _NO_CATEGORY
        if self._store.friends.entry(asker, account) is not None:
            return Refusal(NO_SUCH_ID, "account is your friend")
        if self._store.friends.count(asker) >= MAX_FRIENDS:
            return Refusal(NO_SUCH_ID, f"you have {MAX_FRIENDS} friends")
        if not self._requests.take(asker):
            return Refusal(TOO_MANY, "you have asked too many people in an hour")
        return None

    def _isRight(self, account: AccountRecord, answer: str) -> bool:
        expected = str(account.profile.get("answer", ""))
        if not expected:
            # Without a right answer the account itself decides.
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
        self._notify(FriendshipStep.PASSED, asker, account, category=category)
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
        self._notify(step, account, asker, signature=signature)

    def _request(
        self, account: AccountRecord, asker: Number, text: str, category: int
    ) -> Refusal | None:
        number = account.number
        now = int(self._now())
        before = self._store.friends.request(number, asker)
        request = FriendRequestRecord(number, asker, text, category, now)
        if before is not None and now - before.time < REPEAT_AFTER:
            # The account has been notified, and repeated requests would annoy it.
            self._store.friends.addRequest(replace(request, time=before.time))
            return None
        if (
            before is None
            and self._store.friends.receivedRequestCount(number) >= MAX_RECEIVED
        ):
            return Refusal(NO_SUCH_ID, "too many people wait for their answer")
        if before is None and self._store.friends.sentRequestCount(asker) >= MAX_SENT:
            return Refusal(TOO_MANY, "you wait for too many answers")
        self._store.friends.addRequest(request)
        allow = policyOf(account).allow
        self._notify(FriendshipStep.REQUESTED, number, asker, text, allow=allow)
        return None

    def accept(
        self,
        session: Session,
        account: Number,
        addsBack: bool,
        category: int = 0,
        markname: str = "",
    ) -> Refusal | None:
        """
        Accept a friend request, or add an account that has added this one without a
        request.

        @param addsBack: whether to add the other account as well.
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
        listsAsker = self._store.friends.entry(me, account) is not None
        if addsBack and not listsAsker and self._isFull(me):
            return Refusal(NO_SUCH_ID, f"you have {MAX_FRIENDS} friends")
        isListed = self._store.friends.entry(account, me) is not None
        if not isListed and self._isFull(account):
            return Refusal(NO_SUCH_ID, f"account has {MAX_FRIENDS} friends")
        self._store.friends.deleteRequest(me, account)
        if addsBack:
            # Both accounts may have sent a request.
            self._store.friends.deleteRequest(account, me)
            if not listsAsker:
                self._addFriend(me, account, category, markname)
        step = FriendshipStep.PASSED_AND_ADDED if addsBack else FriendshipStep.PASSED
        if not isListed:
            self._addFriend(account, me, request.category)
        entry = self._store.friends.entry(account, me)
        category = request.category if entry is None else entry.category
        self._notify(step, account, me, category=category)
        return None

    def _isFull(self, number: Number) -> bool:
        return self._store.friends.count(number) >= MAX_FRIENDS

    def refuse(self, session: Session, account: Number, text: str) -> Refusal | None:
        """
        Reject a friend request.
        """
        request = self._store.friends.request(session.number, account)
        if request is None:
            return _NOT_ASKED
        refusal = tooLong(msg=(text, MAX_TEXT))
        if refusal is not None:
            return refusal
        self._store.friends.deleteRequest(session.number, account)
        if not request.hasAdded:
            self._notify(FriendshipStep.REJECTED, account, session.number, text)
        return None

    def _friendOf(self, session: Session, uin: Uin) -> Number | None:
        number = session.sessionIds.person(uin)
        if number is None or self._store.friends.entry(session.number, number) is None:
            return None
        return number

    def rename(self, session: Session, uin: Uin, markname: str) -> Refusal | None:
        """
        Set the name that the account alone sees for a friend.
        """
        friend = self._friendOf(session, uin)
        if friend is None:
            return _NOT_FRIEND
        refusal = tooLong(markname=(markname, MAX_MARKNAME))
        if refusal is not None:
            return refusal
        entry = self._store.friends.entry(session.number, friend)
        assert entry is not None
        self._store.friends.update(session.number, friend, entry.category, markname)
        return None

    def move(self, session: Session, uin: Uin, category: int) -> Refusal | None:
        """
        Move a friend to another category.
        """
        friend = self._friendOf(session, uin)
        if friend is None:
            return _NOT_FRIEND
        if category and self._category(session.number, category) is None:
            return _NO_CATEGORY
        entry = self._store.friends.entry(session.number, friend)
        assert entry is not None
        self._store.friends.update(session.number, friend, category, entry.markname)
        return None

    def remove(self, session: Session, uin: Uin, both: bool) -> Refusal | None:
        """
        Remove a friend.

        @param both: whether to remove the account from the friend's list as well.
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
            self._state.router.forgetStatus(session, friend)
        event = ROSTER_CHANGE.new(other=friend, added=False)
        self._state.router.route(event, [owner])

    def tellEdit(self, number: Number) -> None:
        """
        Tell the friends of an account who are online that it has another nick or
        avatar; no more often than L{EDITS_PER_HOUR}.
        """
        account = self._store.accounts.get(number)
        if account is None or not self._edits.take(number):
            return
        event = FRIEND_EDIT.new(other=number, nick=account.nick)
        friends = self._store.friends.listedBy(number)
        self._state.router.sendTransient(event, friends)

    def _category(self, owner: Number, index: int) -> CategoryRecord | None:
        categories = self._store.friends.categories(owner)
        return next((c for c in categories if c.index == index), None)

    def createCategory(self, session: Session, name: str) -> CategoryRecord | Refusal:
        """
        Create a category.
        """
        refusal = self._refuseName(name)
        if refusal is not None:
            return refusal
        categories = self._store.friends.categories(session.number)
        if len(categories) >= MAX_CATEGORIES:
            return Refusal(NO_SUCH_ID, f"you have {MAX_CATEGORIES} categories")
        taken = {category.index for category in categories}
        index = next(n for n in range(1, MAX_CATEGORIES + 1) if n not in taken)
        sort = max((category.sort for category in categories), default=0) + 1
        category = CategoryRecord(index, name, sort)
        self._store.friends.setCategory(session.number, category)
        return category

    def renameCategory(self, session: Session, index: int, name: str) -> Refusal | None:
        """
        Rename a category.
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
        Move a category in the list.
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
        Remove a category; its friends move to the first one.
        """
        if self._category(session.number, index) is None:
            return _NO_CATEGORY
        self._store.friends.removeCategory(session.number, index)
        return None
