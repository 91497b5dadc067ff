"""
The statements that requests execute: their number, and the indexes that they use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.fleet.harness import FleetHarness
from tests.server.harness import ALICE, BOB, CATS, HTTPClient
from txwebqq.postgresql.connection import Connection

MANY = 100_000

Statement = tuple[str, tuple[Any, ...]]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """
    The statements that were executed, with parameters of theirs.
    """
    executed: list[Statement] = []
    execute, executemany = Connection.execute, Connection.executemany

    def one(self: Connection, sql: str, parameters: Any = (), /) -> Any:
        executed.append((sql, tuple(parameters)))
        return execute(self, sql, parameters)

    def many(self: Connection, sql: str, rows: Any, /) -> Any:
        listed = list(rows)
        executed.extend((sql, tuple(row)) for row in listed[:1])
        return executemany(self, sql, listed)

    monkeypatch.setattr(Connection, "execute", one)
    monkeypatch.setattr(Connection, "executemany", many)
    return executed


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


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """
    Return the tables that a plan reads as a whole.
    """
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


@pytest.mark.long
def test_indexes(fleetEngine: None, statements: list[Statement]) -> None:
    """
    With 100,000 accounts, sign-on, polls and messages read no table as a whole that has
    a row for each.
    """
    harness = FleetHarness()
    db = harness.store.database.connection
    last = 1_000_000 + MANY
    for statement in (
        "INSERT INTO account (number, first_hash, nick) SELECT n, '\\x00', 'x' FROM {}",
        "INSERT INTO friendship (owner, friend) SELECT n, n + 1 FROM {}",
        "INSERT INTO member (room, number) SELECT 200002 + n % 1000, n FROM {}",
        (
            "INSERT INTO session SELECT n, '1', sha256(n::text::bytea),"
            " sha256(('v' || n)::bytea), sha256(('p' || n)::bytea),"
            " sha256(('p' || n)::bytea), sha256(('s' || n)::bytea), '\\x', '\\x0001',"
            " 10, 0 FROM {}"
        ),
        (
            "INSERT INTO poll_state (number, seen, since, former)"
            " SELECT n, 1366004047, 1366004047, '\\x' FROM {}"
        ),
        "INSERT INTO letter SELECT n, 'group 1', 2, '{{}}' FROM {}",
        "INSERT INTO waiting SELECT n, n, 0 FROM {}",
        "INSERT INTO signal SELECT n, 'presence 1', '10', 1366009047, 0 FROM {}",
        (
            "INSERT INTO ended_session SELECT sha256(('e' || n)::bytea), n, 'replaced',"
            " 0, 1366004047 FROM {}"
        ),
        (
            "INSERT INTO pending_login SELECT sha256(('l' || n)::bytea),"
            " sha256(('k' || n)::bytea), n, '\\x', 1366009047 FROM {}"
        ),
        "INSERT INTO counter SELECT 'message ' || n, n FROM {}",
        "INSERT INTO allowance SELECT 'failed', n::text, 1, 1366009047 FROM {}",
        "INSERT INTO captcha SELECT sha256(('c' || n)::bytea), 'x', 1366009047 FROM {}",
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
    executed = [
        (sql, values)
        for sql, values in dict.fromkeys(statements)
        if sql.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT")
    ]
    assert len(executed) > 40
    found = set()
    for sql, values in executed:
        ((plan,),) = db.execute(f"EXPLAIN (FORMAT JSON) {sql}", values).fetchall()
        plans = json.loads(plan) if isinstance(plan, str) else plan
        found |= {(table, sql) for table in scans(plans[0]["Plan"])}
    large = {
        table
        for (table,) in db.execute(
            "SELECT relname::text FROM pg_class WHERE reltuples >= 10000"
            " AND relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        )
    }
    assert len(large) > 10
    assert {each for each in found if each[0] in large} == set()
