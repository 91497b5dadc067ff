"""
Messages found by their ids, and messages that were recalled.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Number
from txwebqq.sqlite.database import MEMORY, Database, Schema

CATS = Target(TargetKind.GROUP, 200001)
BOB = Target(TargetKind.CONTACT, 10002)
ME, OTHER = Number(10001), Number(10009)


def message(text: str, messageId: int, target: Target = CATS) -> HistoryMessage:
    return HistoryMessage("al", target, 1, ME, Number(10002), "Bob", text, id=messageId)


def stored(store: HistoryStore, message: HistoryMessage) -> HistoryMessage:
    kept = store.append(message)
    assert kept is not None
    return kept


def test_found(tmp_path: Path) -> None:
    """
    A message is found by its ids in the next run, in its own conversation only.
    """
    path = tmp_path / "gateway.db"
    database = Database(path, GATEWAY_SCHEMA)
    parts = replace(message("meow", 77), earlier=(75, -76), reply=3)
    kept = stored(HistoryStore(database), parts)
    database.close()
    database = Database(path, GATEWAY_SCHEMA)
    references = HistoryStore(database).references
    assert references.withId("al", CATS, ME, 77) == kept
    assert references.withMsgid("al", CATS, kept.msgid) == kept
    assert references.withSerial("al", kept.serial) == kept
    assert references.msgid(kept.serial) == kept.msgid
    for user, target, number in (("al", BOB, 77), ("bo", CATS, 77), ("al", CATS, 78)):
        assert references.withId(user, target, ME, number) is None
    assert references.withMsgid("al", BOB, kept.msgid) is None
    assert references.withMsgid("al", CATS, "nonsense") is None
    assert references.withMsgid("al", CATS, f"0{kept.msgid}") is None
    assert references.withSerial("bo", kept.serial) is None
    database.close()


def test_sameId() -> None:
    """
    Of several messages with an id, that of the account which was told it is found;
    those without an id are not found by it.
    """
    store = HistoryStore(Database(MEMORY, GATEWAY_SCHEMA))
    stored(store, message("none", 0))
    first = stored(store, message("first", 77))
    second = stored(store, replace(message("second", 77), account=OTHER))
    assert store.references.withId("al", CATS, ME, 77) == first
    assert store.references.withId("al", CATS, OTHER, 77) == second
    assert store.references.withId("al", CATS, ME, 0) is None


def test_sentToContact() -> None:
    """
    Of messages to contacts, only the account's own are found.
    """
    store = HistoryStore(Database(MEMORY, GATEWAY_SCHEMA))
    stored(store, message("theirs", 77, BOB))
    stored(store, replace(message("group", 77), sender=ME))
    references = store.references
    assert references.sentToContact("al", ME, 77) is None
    ours = stored(store, replace(message("ours", 77, BOB), sender=ME))
    assert references.sentToContact("al", ME, 77) == ours
    assert references.sentToContact("al", OTHER, 77) is None


def test_recalled() -> None:
    """
    A recalled message is in no answer any more, its text is not in the database,
    and clients can ask for what came before and after it.
    """
    database = Database(MEMORY, GATEWAY_SCHEMA)
    store = HistoryStore(database)
    before, secret, after = (
        stored(store, message(text, number))
        for number, text in enumerate(("before", "secret", "after"), 1)
    )
    store.references.recall(secret.serial)
    assert store.latest("al", CATS, 10) == [before, after]
    assert store.missed("al", "", 10) == [before, after]
    assert store.since("al", CATS, 0, 10) == [before, after]
    position = store.position("al", CATS, secret.msgid)
    assert position is not None
    assert store.after("al", CATS, position, 10) == [after]
    assert "secret" not in "".join(database.connection.iterdump())
    found = store.references.withId("al", CATS, ME, 2)
    assert found == replace(secret, command="", text="")


def test_index() -> None:
    """
    A message is found by its id without a look at all others.
    """
    database = Database(MEMORY, GATEWAY_SCHEMA)
    statements: list[str] = []
    store = HistoryStore(database)
    database.connection.set_trace_callback(statements.append)
    store.references.withId("al", CATS, ME, 77)
    store.references.sentToContact("al", ME, 77)
    database.connection.set_trace_callback(None)
    for statement in statements:
        [plan] = [
            row[3]
            for row in database.connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            if "said" in row[3]
        ]
        assert "said_by_qq_id" in plan


def test_upgrade(tmp_path: Path) -> None:
    """
    The messages of a database without ids are there after an upgrade, with the same
    msgids.
    """
    path = tmp_path / "gateway.db"
    columns = ("qq_id", "earlier", "reply")
    script = "\n".join(
        line
        for line in GATEWAY_SCHEMA.script.splitlines()
        if not line.strip().startswith(columns) and "qq_id" not in line
    ).replace("origin TEXT NOT NULL,\n)", "origin TEXT NOT NULL\n)")
    old = Schema(script, 2, GATEWAY_SCHEMA.application, "gateway")
    database = Database(path, old)
    db = database.connection
    db.execute("INSERT INTO epoch VALUES ('abc')")
    db.execute(
        "INSERT INTO said VALUES"
        " (5, 'al', 1, 200001, 7, 10001, 10002, 'Bob', 'PRIVMSG', 'meow', '')"
    )
    database.close()
    database = Database(path, GATEWAY_SCHEMA)
    store = HistoryStore(database)
    expected = replace(message("meow", 0), time=7, serial=5, msgid="abc-5")
    assert store.latest("al", CATS, 10) == [expected]
    assert stored(store, message("more", 77)).serial == 6
    database.close()
