"""
Import of a population: adds accounts, friendships, groups and discussions that
the database does not have yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server.records import CategoryRecord, FriendshipEntry, Population
from txwebqq.server.storage.store import Store


def importPopulation(store: Store, population: Population) -> None:
    """
    Add to the database what it does not have yet; change and remove nothing.

    @raise InvalidConfiguration: when a friendship, group or discussion names
        an account that does not exist; then nothing is added.
    """
    with store.database.transaction():
        for account in population.accounts:
            # The categories of an existing account are in its own order.
            if store.accounts.add(account):
                for category in population.categories.get(account.number, ()):
                    store.friends.setCategory(account.number, category)
        for friendship in population.friendships:
            one, other = friendship.between
            _require(store, f"friendship between {one} and {other}", (one, other))
            _importFriendship(store, friendship)
        for group in population.groups:
            _require(store, f"group {group.group.number}", group.members)
            store.groups.merge(group)
        for discussion in population.discussions:
            name = f"discussion {discussion.number}"
            _require(store, name, discussion.members)
            store.discussions.merge(discussion)


def _require(store: Store, entry: str, numbers: Iterable[Number]) -> None:
    for number in numbers:
        if not store.accounts.exists(number):
            raise InvalidConfiguration(f"{entry}: there is no account {number}")


def _importFriendship(store: Store, friendship: FriendshipEntry) -> None:
    one, other = friendship.between
    for owner in friendship.listOwners:
        friend = other if owner == one else one
        if store.friends.entry(owner, friend) is None and not store.friends.wasRemoved(
            owner, friend
        ):
            category = friendship.categories.get(owner, 0)
            index = _categoryIndex(store, owner, category) if category else 0
            markname = friendship.marknames.get(owner, "")
            store.friends.merge(owner, friend, index, markname)


def _categoryIndex(store: Store, owner: Number, category: str | int) -> int:
    """
    Return the index of a category; one that is given by a name that the owner
    does not have is made.
    """
    categories = store.friends.categories(owner)
    taken = {each.index for each in categories}
    if isinstance(category, int):
        return category if category in taken else 0
    for each in categories:
        if each.name == category:
            return each.index
    index = next(n for n in count(1) if n not in taken)
    store.friends.setCategory(owner, CategoryRecord(index, category, index))
    return index
