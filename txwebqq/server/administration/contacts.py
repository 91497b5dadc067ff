"""
The commands for friendships and blocked accounts.
"""

from __future__ import annotations

import json

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    existingAccount,
    number,
    printLine,
    shown,
)
from txwebqq.server.storage.store import Store
from txwebqq.wire.commands.settings import BLOCKED, PRIVACY, STRANGERS


def addCommands(line: CommandLine) -> None:
    """
    Add the commands of C{friendship} and C{block}.
    """
    add = line.topic("friendship", "friendships")
    for name, action, text in (
        ("add", _befriend, "make two accounts friends"),
        (
            "remove",
            _unfriend,
            "remove two accounts from each other's friend lists",
        ),
    ):
        made = add(name, action, text)
        made.add_argument("one", type=number)
        made.add_argument("other", type=number)
    made = add("list", _listFriendships, "list friendships, of one account or all")
    made.add_argument("number", type=number, nargs="?")
    add = line.topic("block", "blocked accounts")
    for name, action, text in (
        ("add", _block, "refuse messages from an account"),
        ("remove", _unblock, "accept messages from an account again"),
    ):
        made = add(name, action, text)
        made.add_argument("owner", type=number, help="the account that blocks")
        made.add_argument("other", type=number, help="the account that is blocked")
    made = add("list", _listBlocked, "list the accounts that an account has blocked")
    made.add_argument("owner", type=number)
    made = add(
        "strangers", _blockStrangers, "refuse messages of members who are no friends"
    )
    made.add_argument("owner", type=number)
    made.add_argument("--allow", action="store_true", help="accept them again")


def _befriend(store: Store, arguments: Arguments) -> None:
    one, other = arguments.one, arguments.other
    if one == other:
        raise InvalidConfiguration(f"{one} cannot be its own friend")
    existingAccount(store, one)
    existingAccount(store, other)
    missing = [
        (owner, friend)
        for owner, friend in ((one, other), (other, one))
        if store.friends.entry(owner, friend) is None
    ]
    if not missing:
        raise InvalidConfiguration(f"{one} and {other} are friends already")
    for owner, friend in missing:
        store.friends.add(owner, friend, 0, "")


def _unfriend(store: Store, arguments: Arguments) -> None:
    if not store.friends.removeBoth(arguments.one, arguments.other):
        raise InvalidConfiguration(
            f"{arguments.one} and {arguments.other} are not friends"
        )


def _listFriendships(store: Store, arguments: Arguments) -> None:
    owner = arguments.number
    if owner is not None:
        existingAccount(store, owner)
    for each in store.admin.population().friendships:
        one, other = each.between
        if owner in (None, *each.between):
            alone = each.onlyListOwner
            kept = "" if alone is None else f"\tonly in the list of {alone}"
            printLine(f"{one}\t{other}{kept}")


def _setBlocked(store: Store, owner: Number, blocked: set[Number]) -> None:
    store.settings.update(owner, PRIVACY, {BLOCKED: json.dumps(sorted(blocked))})


def _block(store: Store, arguments: Arguments) -> None:
    owner, other = arguments.owner, arguments.other
    existingAccount(store, owner)
    existingAccount(store, other)
    blocked = set(store.blockedBy(owner))
    if owner == other or other in blocked:
        problem = "cannot block itself" if owner == other else f"blocks {other} already"
        raise InvalidConfiguration(f"account {owner} {problem}")
    _setBlocked(store, owner, blocked | {other})


def _unblock(store: Store, arguments: Arguments) -> None:
    owner, other = arguments.owner, arguments.other
    blocked = set(store.blockedBy(owner))
    if other not in blocked:
        raise InvalidConfiguration(f"account {owner} does not block {other}")
    _setBlocked(store, owner, blocked - {other})


def _listBlocked(store: Store, arguments: Arguments) -> None:
    existingAccount(store, arguments.owner)
    for blocked in store.blockedBy(arguments.owner):
        record = store.accounts.get(blocked)
        printLine(f"{blocked}\t{shown(record.nick if record else '')}")
    if store.settings.get(arguments.owner, PRIVACY).get(STRANGERS) == "false":
        printLine("strangers")


def _blockStrangers(store: Store, arguments: Arguments) -> None:
    existingAccount(store, arguments.owner)
    value = json.dumps(bool(arguments.allow))
    store.settings.update(arguments.owner, PRIVACY, {STRANGERS: value})
