"""
The statements that requests execute: their number, and the indexes that they use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.server.fleet.harness import FleetHarness
from tests.server.fleet.indexes import (
    SELDOM,
    IndexCheck,
    Statement,
    isPlanned,
    planOf,
    recording,
)
from tests.server.harness import ALICE, BOB, CATS, HTTPClient
from txwebqq.postgresql.database import Database
from txwebqq.server.fleet.process import CLEAN
from txwebqq.server.storage.store import SCHEMA, Store
from txwebqq.wire.commands.profiles import ModifyMyDetails2
from txwebqq.wire.form import Ticket, encodeForm

MANY = 100_000


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    """
    The statements that the server has executed, with parameters of theirs.
    """
    with recording(monkeypatch) as executed:
        yield executed


def addMembers(harness: FleetHarness, count: int) -> None:
    """
    Add members to the cats.
    """
    harness.store.database.connection.execute(
        "INSERT INTO member (room, number) SELECT ?, n FROM"
        " generate_series(500001, 500000 + ?) n ON CONFLICT DO NOTHING",
        (CATS, count),
    )


def test_oneForAllMembers(fleetEngine: None, statements: list[Statement]) -> None:
    """
    A message to a group of 490 takes as many statements as one to a group of 50, and
    so does a poll.
    """
    harness = FleetHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB)
    numbers = []
    ack = 0
    for members in (5, 50, 490):
        addMembers(harness, members)
        statements.clear()
        assert alice.tellCats("hi").json["retcode"] == 0
        sent = len(statements)
        statements.clear()
        ack = bob.poll(ack).response.json["ack"]
        numbers.append((sent, len(statements)))
    # The first of them reads what the others know.
    assert numbers[1] == numbers[2]


def test_oneForAllFriends(fleetEngine: None, statements: list[Statement]) -> None:
    """
    Another nick of an account with 490 friends takes as many statements as that of one
    with 50.
    """
    harness = FleetHarness()
    alice = harness.client(ALICE)
    ticket = Ticket(alice.clientid, alice.psessionid, alice.vfwebqq, alice.ptwebqq)
    numbers = []
    for friends in (5, 50, 490):
        harness.store.database.connection.execute(
            "INSERT INTO friendship (owner, friend, category, markname)"
            " SELECT n, ?, 0, '' FROM generate_series(500001, 500000 + ?) n"
            " ON CONFLICT DO NOTHING",
            (ALICE, friends),
        )
        statements.clear()
        edit = ModifyMyDetails2(ticket, {"nick": f"Alice {friends}"})
        form = encodeForm(edit.encodeFields()).decode()
        assert harness.post(edit.path, form).response.json["retcode"] == 0
        numbers.append(len(statements))
    assert numbers[1] == numbers[2]


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """
    Return the tables that a plan reads as a whole.
    """
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("account", "SELECT number FROM account WHERE nick = ?"),
        ("account", "SELECT number FROM account ORDER BY number"),
        ("signal", "UPDATE signal SET until = 0 WHERE key = ?"),
        ("session", "SELECT count(*) FROM signal s JOIN session USING (number)"),
    ],
)
def test_forgotten(fleetEngine: None, table: str, sql: str) -> None:
    """
    The check that follows each test with several processes finds statements that no
    index is for, also in the middle of an index.
    """
    url = FleetHarness.databases.url
    with closing(Database(url, SCHEMA, hasPeers=True)) as database:
        check = IndexCheck(database.connection)
        found = check.read([(sql, ("x",) * sql.count("?"))])
    assert (table, sql) in found


@pytest.mark.long
def test_indexes(fleetEngine: None, statements: list[Statement]) -> None:
    """
    With 100,000 accounts, sign-on, polls, messages and the regular jobs read no table
    as a whole that has a row for each.
    """
    harness = FleetHarness()
    db = harness.store.database.connection
    last = 1_000_000 + MANY
    with harness.store.database.transaction():
        db.execute("SET LOCAL statement_timeout = 0")
        for statement in (
            (
                "INSERT INTO account (number, first_hash, nick)"
                " SELECT n, '\\x00', 'x' FROM {}"
            ),
            "INSERT INTO friendship (owner, friend) SELECT n, n + 1 FROM {}",
            "INSERT INTO member (room, number) SELECT 200002 + n % 1000, n FROM {}",
            (
                "INSERT INTO session SELECT n, '1', sha256(n::text::bytea),"
                " sha256(('v' || n)::bytea), sha256(('p' || n)::bytea),"
                " sha256(('p' || n)::bytea), sha256(('s' || n)::bytea), '\\x',"
                " '\\x0001', 10, 0 FROM {}"
            ),
            (
                "INSERT INTO poll_state (number, seen, since, former)"
                " SELECT n, 1367000000, 1366004047, '\\x' FROM {}"
            ),
            "INSERT INTO letter SELECT n, 'group 1', 2, '{{}}' FROM {}",
            "INSERT INTO waiting SELECT n, n, 0 FROM {}",
            "INSERT INTO signal SELECT n, 'presence 1', '10', 1367000000, 0 FROM {}",
            (
                "INSERT INTO ended_session SELECT sha256(('e' || n)::bytea), n,"
                " 'replaced', 0, 1366004047 FROM {}"
            ),
            (
                "INSERT INTO pending_login SELECT sha256(('l' || n)::bytea),"
                " sha256(('k' || n)::bytea), n, '\\x', 1367000000 FROM {}"
            ),
            "INSERT INTO counter SELECT 'message ' || n, n FROM {}",
            "INSERT INTO allowance SELECT 'failed', n::text, 1, 1367000000 FROM {}",
            (
                "INSERT INTO captcha SELECT sha256(('c' || n)::bytea), 'x', 1367000000"
                " FROM {}"
            ),
            "ANALYZE",
        ):
            db.execute(statement.format(f"generate_series(1000001, {last}) n"))
    statements.clear()
    alice, bob = harness.client(ALICE), harness.client(BOB)
    poll = bob.poll(0)
    alice.tell(BOB, "hi")
    alice.tellCats("meow")
    assert poll.isAnswered
    bob.poll(poll.response.json["ack"])
    bob.ask("/channel/get_online_buddies2", psessionid=bob.psessionid)
    other = HTTPClient(harness, ALICE)
    other.tryLogin("wrong", other.check()[1])
    alice.join(alice.psessionid)
    bob.lookUp("search_qq_by_uin2", "&tuin=carol%40example.org&verifysession=&code=")
    with closing(Store(harness.url, shared=True)) as store:
        store.accounts.setPassword(BOB, b"new")
        store.accounts.disable(ALICE)
    for _ in range(2):
        harness.clock.advance(CLEAN)
    executed = [
        (sql, values)
        for sql, values in dict(statements).items()
        if isPlanned(sql) and not sql.startswith(tuple(SELDOM))
    ]
    assert len(executed) > 60
    found = {
        (table, statement[0])
        for statement in executed
        for table in scans(planOf(db, statement))
    }
    large = {
        table
        for (table,) in db.execute(
            "SELECT relname::text FROM pg_class WHERE reltuples >= 10000"
            " AND relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        )
    }
    assert len(large) > 10
    assert {each for each in found if each[0] in large} == set()
