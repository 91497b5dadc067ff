"""
The commands for groups, their members, and discussions.
"""

from __future__ import annotations

import time
from dataclasses import replace

from msgspec import structs

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import (
    DISSOLVED,
    OWNER_CHANGED,
    REMOVED,
    BusinessCard,
    GroupStep,
    Number,
)
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    existingAccount,
    existingGroup,
    number,
    printLine,
    shown,
)
from txwebqq.server.events.groupnotices import (
    ADMINISTRATOR,
    GRANT,
    JOIN_OPERATION,
    REVOKE,
    creationNotices,
    groupNotice,
)
from txwebqq.server.events.interactionkinds import GROUP_CARD, GROUP_EDIT, newNotice
from txwebqq.server.events.kinds import NOBODY
from txwebqq.server.events.queued import NO_IDS, QueuedEvent
from txwebqq.server.records import GroupEntry, GroupRecord, Population
from txwebqq.server.storage.mutes import EVERYBODY
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store

TEXTS = ("name", "memo", "description")


def addCommands(line: CommandLine) -> None:
    """
    Add the commands of C{group}, C{member} and C{discussion}.
    """
    add = line.topic("group", "groups")
    made = add("add", _add, "add a group")
    made.add_argument("number", type=number)
    made.add_argument("--name", required=True)
    made.add_argument("--owner", type=number, required=True)
    made.add_argument("--memo", default="", help="the announcement")
    made.add_argument("--description", default="")
    made.add_argument("--members", type=number, nargs="*", default=[], metavar="NUMBER")
    made = add("remove", _remove, "dissolve a group permanently")
    made.add_argument("number", type=number)
    add("list", _list, "list numbers, members, owners and names")
    made = add("show", _show, "show a group and its members")
    made.add_argument("number", type=number)
    made = add("set", _set, "change the name and the texts of a group")
    made.add_argument("number", type=number)
    made.add_argument("--name")
    made.add_argument("--memo", help="the announcement")
    made.add_argument("--description")
    made = add("transfer", _transfer, "make a member the owner of a group")
    made.add_argument("group", type=number)
    made.add_argument("number", type=number)
    add = line.topic("member", "members of groups")
    for name, action, text in (
        ("add", _addMember, "add a member to a group"),
        ("remove", _removeMember, "remove a member from a group"),
        ("admin", _makeAdmin, "make a member an administrator"),
    ):
        made = add(name, action, text)
        made.add_argument("group", type=number)
        made.add_argument("number", type=number)
        if name == "admin":
            made.add_argument(
                "--revoke", action="store_true", help="take the rights away"
            )
    made = add("card", _setCard, "change the name of a member in a group")
    made.add_argument("group", type=number)
    made.add_argument("number", type=number)
    made.add_argument("card", help="empty for none")
    add = line.topic("discussion", "discussions")
    add("list", _listDiscussions, "list numbers, members, owners and names")


def _add(store: Store, arguments: Arguments) -> None:
    group, owner = arguments.number, arguments.owner
    if store.groups.get(group) is not None:
        raise InvalidConfiguration(f"group {group} already exists")
    record = GroupRecord(
        group,
        arguments.name,
        owner,
        memo=arguments.memo,
        description=arguments.description,
    )
    members = tuple(dict.fromkeys((owner, *arguments.members)))
    with store.database.transaction():
        importPopulation(store, Population(groups=(GroupEntry(record, members),)))
        if store.groups.get(group) is None:
            raise InvalidConfiguration(
                f"group {group} was dissolved; its number cannot be used again"
            )
        for event, recipient in creationNotices(group, owner, members[1:]):
            store.operatorEvents.add(event, [recipient])


def _tell(store: Store, group: Number, event: QueuedEvent) -> None:
    """
    Have the server give an event to the members that a group has now.
    """
    store.operatorEvents.add(event, store.groups.memberNumbers(group))


def _remove(store: Store, arguments: Arguments) -> None:
    group = existingGroup(store, arguments.number).number
    with store.database.transaction():
        event = groupNotice(
            GroupStep.LEFT, group, adminTitle=ADMINISTRATOR, operation=DISSOLVED
        )
        _tell(store, group, event)
        store.groups.dissolve(group)


def _list(store: Store, arguments: Arguments) -> None:
    for entry in store.admin.population().groups:
        group = entry.group
        _listOne(group.number, len(entry.members), group.owner, group.name)


def _listOne(number: Number, members: int, owner: Number, name: str) -> None:
    printLine(f"{number}\t{members}\t{owner}\t{shown(name)}")


def _show(store: Store, arguments: Arguments) -> None:
    group = existingGroup(store, arguments.number)
    printLine(f"number: {group.number}")
    printLine(f"name: {shown(group.name)}")
    for word, text in (("memo", group.memo), ("description", group.description)):
        if text:
            printLine(f"{word}: {shown(text)}")
    for member in sorted(
        store.groups.members(group.number), key=lambda each: each.number
    ):
        kind = "admin" if member.flag & 1 else "member"
        if member.number == group.owner:
            kind = "owner"
        printLine(f"{kind}: {member.number} {shown(member.card or member.nick)}")
    for muted, until in store.mutes.active(group.number, int(time.time())):
        if muted == EVERYBODY:
            printLine("muted: all members")
        else:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(until))
            printLine(f"muted: {muted} until {when}")


def _set(store: Store, arguments: Arguments) -> None:
    group = existingGroup(store, arguments.number)
    given = {name: getattr(arguments, name) for name in TEXTS}
    changes = {name: text for name, text in given.items() if text is not None}
    if not changes:
        raise InvalidConfiguration("none of --name, --memo, --description is given")
    if changes.get("name", group.name).strip() == "":
        raise InvalidConfiguration("--name is empty")
    changes = {k: text for k, text in changes.items() if text != getattr(group, k)}
    if not changes:
        return
    with store.database.transaction():
        store.groups.update(replace(group, **changes))
        event = newNotice(
            GROUP_EDIT, NO_IDS, group=group.number, operator=NOBODY, **changes
        )
        _tell(store, group.number, event)


def _transfer(store: Store, arguments: Arguments) -> None:
    group, heir = _member(store, arguments)
    event = groupNotice(
        GroupStep.ADMIN,
        group.number,
        heir,
        previous=group.owner,
        operation=OWNER_CHANGED,
    )
    with store.database.transaction():
        store.groups.update(replace(group, owner=heir))
        _tell(store, group.number, event)


def _addMember(store: Store, arguments: Arguments) -> None:
    group, member = existingGroup(store, arguments.group), arguments.number
    existingAccount(store, member)
    if store.groups.isMember(group.number, member):
        raise InvalidConfiguration(
            f"{member} is already a member of group {group.number}"
        )
    event = groupNotice(
        GroupStep.JOINED,
        group.number,
        member,
        adminTitle=ADMINISTRATOR,
        operation=JOIN_OPERATION,
    )
    with store.database.transaction():
        store.groups.addMember(group.number, member)
        _tell(store, group.number, event)


def _member(store: Store, arguments: Arguments) -> tuple[GroupRecord, Number]:
    group, member = _anyMember(store, arguments)
    if group.owner == member:
        raise InvalidConfiguration(f"{member} is the owner of group {group.number}")
    return group, member


def _anyMember(store: Store, arguments: Arguments) -> tuple[GroupRecord, Number]:
    group, member = existingGroup(store, arguments.group), arguments.number
    if not store.groups.isMember(group.number, member):
        raise InvalidConfiguration(f"{member} is not a member of group {group.number}")
    return group, member


def _removeMember(store: Store, arguments: Arguments) -> None:
    group, member = _member(store, arguments)
    event = groupNotice(
        GroupStep.LEFT,
        group.number,
        member,
        adminTitle=ADMINISTRATOR,
        operation=REMOVED,
    )
    with store.database.transaction():
        _tell(store, group.number, event)
        store.groups.removeMember(group.number, member)


def _makeAdmin(store: Store, arguments: Arguments) -> None:
    group, member = _member(store, arguments)
    flag = store.groups.memberFlag(group.number, member) or 0
    wanted = flag & ~1 if arguments.revoke else flag | 1
    if flag == wanted:
        return
    event = groupNotice(
        GroupStep.ADMIN,
        group.number,
        member,
        operation=REVOKE if arguments.revoke else GRANT,
    )
    with store.database.transaction():
        store.groups.setFlag(group.number, member, wanted)
        _tell(store, group.number, event)


def _setCard(store: Store, arguments: Arguments) -> None:
    record, member = _anyMember(store, arguments)
    group = record.number
    card = store.groups.card(group, member) or BusinessCard()
    if card.name == arguments.card:
        return
    event = newNotice(
        GROUP_CARD,
        NO_IDS,
        group=group,
        member=member,
        operator=NOBODY,
        card=arguments.card,
    )
    with store.database.transaction():
        store.groups.setCard(group, member, structs.replace(card, name=arguments.card))
        _tell(store, group, event)


def _listDiscussions(store: Store, arguments: Arguments) -> None:
    for each in store.admin.population().discussions:
        _listOne(each.number, len(each.members), each.owner, each.name)
