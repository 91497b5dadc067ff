"""
C{webqq-admin}, run in this process.
"""

from __future__ import annotations

import io
import re
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.python.failure import Failure

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    DAVE,
    POPULATION,
    HTTPClient,
    ServerHarness,
    textsOf,
)
from txwebqq.config.passwordhash import parseHash
from txwebqq.model import Number, Sent
from txwebqq.server.admin import main
from txwebqq.server.population import parse
from txwebqq.server.populationwriter import writePopulation
from txwebqq.server.resource import SWEEP
from txwebqq.server.storage.admin import ACCOUNT_COLUMNS, SHARED_TABLES
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Attitude, Store
from txwebqq.wire.digests import passwordHash

EVERYTHING = (
    POPULATION
    + r"""
[[account]]
number = 10009
password = "x"
nick = "\"Eve\"\u0000 \\ \u007f 茶🍵\n\u202e"
face = 7
city = "舟山"
homepage = "http://example.org/?a='b'"
blood = 2
vipLevel = 6

[[friendship]]
between = [10009, 10002]
category = ["Family", "Work \"x\""]
markname = ["B", "E"]

[[discussion]]
number = 300001
name = "the trip"
owner = 10003
members = [10003, 10001]
"""
)


class AdminConsole:
    """
    A database and a terminal on which C{webqq-admin} is run.
    """

    def __init__(
        self,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.folder = folder
        self.path = folder / "q.db"
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        store = Store(self.path)
        importPopulation(store, parse(POPULATION))
        store.close()

    def run(self, *argv: str, typed: str = "") -> str:
        """
        Run a command, which must succeed.

        @return: the standard output.
        """
        code, out, err = self.attempt(*argv, typed=typed)
        assert (code, err) == (0, ""), err
        return out

    def refused(self, *argv: str, typed: str = "") -> str:
        """
        Run a command, which must fail.

        @return: the one line of the error.
        """
        code, out, err = self.attempt(*argv, typed=typed)
        assert (code, out) == (1, "")
        assert err.startswith("webqq-admin: ")
        assert err.count("\n") == 1
        return err.removeprefix("webqq-admin: ").rstrip("\n")

    def attempt(self, *argv: str, typed: str = "") -> tuple[int, str, str]:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["--database", str(self.path), *argv])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def store(self) -> Store:
        return Store(self.path, shared=True)


@pytest.fixture
def console(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> AdminConsole:
    """
    A console with a database of the usual accounts.
    """
    monkeypatch.delenv("TXWEBQQ_PASSWORD", raising=False)
    return AdminConsole(tmp_path, capsys, monkeypatch)


def test_accounts(console: AdminConsole) -> None:
    """
    Accounts are added, listed, shown and removed.
    """
    console.run(
        "account", "add", "10009", "--nick", "E\x1bve", "--password-file=-", typed="x\n"
    )
    assert console.run("account", "list").splitlines()[-1] == "10009\tE\\x1bve"
    shown = console.run("account", "show", "10001")
    assert "nick: Alice\n" in shown
    assert "gender: female\n" in shown
    assert "friend: 10002 Bobby\n" in shown
    assert "group: 200001 cats\n" in shown
    console.run("account", "remove", "10009")
    assert "10009" not in console.run("account", "list")


def test_passwords(console: AdminConsole, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A password comes from a file, standard input, the environment or a prompt.
    """

    def check(password: str) -> None:
        store = console.store()
        account = store.accounts.get(ALICE)
        store.close()
        assert account is not None
        assert account.firstHash == passwordHash(password)

    command = ("account", "password", "10001")
    console.run(*command, "--password-file", "-", typed=" two words\r\n")
    check(" two words")
    file = console.folder / "secret"
    file.touch(mode=0o600)
    file.write_text("锁\n")
    console.run(*command, "--password-file", str(file))
    check("锁")
    monkeypatch.setenv("TXWEBQQ_PASSWORD", "fromEnvironment")
    console.run(*command)
    check("fromEnvironment")
    # A byte that is not UTF-8.
    monkeypatch.setenv("TXWEBQQ_PASSWORD", "\udcff")
    assert console.refused(*command) == "TXWEBQQ_PASSWORD is not UTF-8"

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("io.StringIO", Terminal)
    answers = iter(["prompted", "prompted", "one", "another", "", ""])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    console.run(*command)
    check("prompted")
    assert console.refused(*command) == "the two passwords differ"
    assert console.refused(*command) == "the password is empty"
    file.chmod(0o644)
    file.parent.chmod(0o755)
    problem = console.refused(*command, "--password-file", str(file))
    assert problem.startswith(f"others can read {file}: chmod 600 {file},")
    check("prompted")


def test_removed(console: AdminConsole) -> None:
    """
    Removing an account deletes all rows that belong to it alone.
    """
    store = Store(console.path)
    importPopulation(store, parse(EVERYTHING))
    harness = ServerHarness(store=store, population="")
    harness.client(ALICE).tell(CAROL, "hi")
    harness.server.stop()
    store.close()
    db = sqlite3.connect(console.path)
    db.execute("INSERT INTO avatar VALUES (1, 10003, 'a')")
    db.commit()
    db.close()
    console.run("account", "remove", "10003")
    store = Store(console.path)
    assert store.friends.numbers(ALICE) == [BOB]
    assert store.friends.numbers(CAROL) == []
    assert store.messages.waiting(CAROL, 0, 10) == []
    discussion = store.discussions.get(Number(300001))
    assert discussion is not None
    assert discussion.owner == ALICE
    store.close()
    db = sqlite3.connect(console.path)
    assert db.execute("SELECT count(*) FROM letter").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM avatar").fetchone() == (0,)
    db.close()


def test_allTables() -> None:
    """
    For every table it is declared whether its rows are deleted with their
    account.
    """
    store = Store()
    tables = {
        name
        for (name,) in store.database.connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite%'"
        )
    }
    assert tables == set(ACCOUNT_COLUMNS) | set(SHARED_TABLES)


def test_friendships(console: AdminConsole) -> None:
    """
    Friendships are added and removed in both friend lists; an import does not add
    a removed friendship again.
    """
    console.run("friendship", "add", "10003", "10004")
    store = console.store()
    assert store.friends.areFriends(CAROL, DAVE)
    assert store.friends.areFriends(DAVE, CAROL)
    console.run("friendship", "remove", "10004", "10003")
    assert not store.friends.areFriends(CAROL, DAVE)
    assert not store.friends.areFriends(DAVE, CAROL)
    console.run("friendship", "remove", "10001", "10002")
    population = console.folder / "people.toml"
    population.touch(mode=0o600)
    population.write_text(POPULATION, encoding="utf-8")
    console.run("import", str(population))
    assert not store.friends.areFriends(ALICE, BOB)
    console.run("friendship", "add", "10001", "10002")
    assert store.friends.areFriends(ALICE, BOB)
    assert store.friends.areFriends(BOB, ALICE)
    store.close()


def test_muted(console: AdminConsole) -> None:
    """
    A group is shown with its mutes that have not ended.
    """
    store = Store(console.path)
    now = int(time.time())
    store.mutes.add(CATS, Number(0), 2**53 - 1, now)
    store.mutes.add(CATS, BOB, now + 3600, now)
    store.mutes.add(CATS, DAVE, now - 1, now)
    store.close()
    everybody, bob = console.run("group", "show", str(CATS)).splitlines()[-2:]
    assert everybody == "muted: all members"
    assert re.fullmatch(rf"muted: {BOB} until \d{{4}}-\d\d-\d\d [\d:]{{8}}", bob)


def test_groups(console: AdminConsole) -> None:
    """
    Groups and their members are added, shown and removed.
    """
    add = ("group", "add", "200002", "--name", "dogs", "--owner", "10003")
    console.run(*add, "--memo", "woof", "--members", "10004")
    console.run("member", "add", "200002", "10001")
    console.run("member", "admin", "200002", "10004")
    assert console.run("group", "show", "200002").splitlines() == [
        "number: 200002",
        "name: dogs",
        "memo: woof",
        "member: 10001 Alice",
        "owner: 10003 Carol",
        "admin: 10004 Dave",
    ]
    console.run("member", "admin", "200002", "10004", "--revoke")
    console.run("member", "remove", "200002", "10001")
    assert console.run("group", "show", "200002").splitlines()[3:] == [
        "owner: 10003 Carol",
        "member: 10004 Dave",
    ]
    console.run("group", "remove", "200002")
    assert console.refused("group", "show", "200002") == "there is no group 200002"
    assert "was dissolved" in console.refused(*add)


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["account", "fly"], "invalid choice: 'fly'"),
        (["account", "show", "x"], "'x' is not a number from 10001 to 4294967295"),
        (["account", "show", "10008"], "there is no account 10008"),
        (["account", "remove", "10008"], "there is no account 10008"),
        (
            ["account", "remove", "10001"],
            "owns groups: 200001; remove or transfer them first",
        ),
        (["account", "add", "10001"], "no password"),
        (
            ["account", "add", "10001", "--password-file=-"],
            "account 10001 already exists",
        ),
        (["account", "add", "10009", "--password-file=/no"], "cannot read /no"),
        (["account", "password", "10008", "--password-file=-"], "no account 10008"),
        (["friendship", "add", "10001", "10001"], "10001 cannot be its own friend"),
        (["friendship", "add", "10001", "10002"], "are friends already"),
        (["friendship", "add", "10001", "10008"], "there is no account 10008"),
        (["friendship", "remove", "10002", "10003"], "are not friends"),
        (
            ["group", "add", "200001", "--name=x", "--owner=10001"],
            "200001 already exists",
        ),
        (["group", "add", "200002", "--name=x", "--owner=10008"], "account 10008"),
        (["group", "remove", "200009"], "there is no group 200009"),
        (
            ["member", "add", "200001", "10002"],
            "10002 is already a member of group 200001",
        ),
        (["member", "add", "200001", "10008"], "there is no account 10008"),
        (
            ["member", "remove", "200001", "10003"],
            "10003 is not a member of group 200001",
        ),
        (["member", "remove", "200001", "10001"], "is the owner of group 200001"),
        (["member", "admin", "200001", "10001"], "is the owner of group 200001"),
        (["import", "/no.toml"], "/no.toml: No such file or directory"),
        (["export", "/no/x.toml"], "/no/x.toml: No such file or directory"),
        (["backup", "/no/x.db"], "/no/x.db: No such file or directory"),
    ],
)
def test_errors(console: AdminConsole, argv: list[str], problem: str) -> None:
    """
    An error is one line, ends with exit code 1, and nothing is changed.
    """
    store = console.store()
    before = store.admin.population()
    assert problem in console.refused(*argv, typed="secret\n")
    assert store.admin.population() == before
    store.close()


def test_noDatabase(console: AdminConsole, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A missing option or database is an error of one line; only commands that add
    accounts make a new database.
    """
    assert main(["account", "list"]) == 1
    assert capsys.readouterr().err == "webqq-admin: --database is missing\n"
    console.path = console.folder / "new.db"
    assert console.refused("statistics").endswith("new.db: the database does not exist")
    assert not console.path.exists()
    console.run("account", "add", "10001", "--password-file=-", typed="x\n")
    assert stat.S_IMODE(console.path.stat().st_mode) == 0o600
    console.path.write_bytes(b"not SQLite at all" * 100)
    assert "not a database" in console.refused("account", "list")


def test_optionAfterCommand(
    console: AdminConsole, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    C{--database} may stand after the command.
    """
    assert main(["account", "list", "--database", str(console.path)]) == 0
    assert "10001\tAlice" in capsys.readouterr().out


def test_export(console: AdminConsole) -> None:
    """
    An exported file has everything that a population file can hold, no passwords,
    and mode 0600; importing it gives the same population.
    """
    store = Store(console.path)
    importPopulation(store, parse(EVERYTHING))
    everything = store.admin.population()
    store.close()
    file = console.folder / "all.toml"
    console.run("export", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "correct horse" not in file.read_text(encoding="utf-8")
    console.path = console.folder / "copy.db"
    console.run("import", str(file))
    store = console.store()
    assert store.admin.population() == everything
    assert len(everything.accounts) == 5
    assert len(everything.friendships) == 3
    store.close()
    assert writePopulation(everything) == file.read_text(encoding="utf-8")
    assert console.refused("export", str(file)).endswith("File exists")


def test_oneSided(console: AdminConsole) -> None:
    """
    A one-sided friendship survives export and import.
    """
    db = sqlite3.connect(console.path)
    db.execute("DELETE FROM friendship WHERE owner = 10003")
    db.commit()
    db.close()
    file = console.folder / "all.toml"
    console.run("export", str(file))
    console.path = console.folder / "copy.db"
    console.run("import", str(file))
    store = console.store()
    assert store.friends.entry(ALICE, CAROL) is not None
    assert store.friends.entry(CAROL, ALICE) is None
    store.close()


def test_update(console: AdminConsole) -> None:
    """
    An import changes no existing account; with C{--update} it changes nicks and
    passwords.
    """
    file = console.folder / "more.toml"
    file.touch(mode=0o600)
    file.write_text(
        '[[account]]\nnumber = 10001\npassword = "new"\nnick = "Alicia"\n'
        '[[account]]\nnumber = 10002\npassword = "new"\n'
        '[[account]]\nnumber = 10009\npassword = "new"\n'
    )

    def accounts() -> dict[int, tuple[str, bool]]:
        store = console.store()
        newHash = passwordHash("new")
        found = {
            a.number: (a.nick, a.firstHash == newHash) for a in store.accounts.all()
        }
        store.close()
        return {n: found[Number(n)] for n in (10001, 10002, 10009)}

    console.run("import", str(file))
    before = {10001: ("Alice", False), 10002: ("Bob's", False), 10009: ("10009", True)}
    assert accounts() == before
    console.run("import", str(file), "--update")
    after = {10001: ("Alicia", True), 10002: ("Bob's", True), 10009: ("10009", True)}
    assert accounts() == after


def test_statistics(console: AdminConsole) -> None:
    """
    The statistics count accounts, groups and queued events.
    """
    store = Store(console.path)
    harness = ServerHarness(store=store, population="")
    harness.client(ALICE).tellCats("meow")
    harness.server.stop()
    store.close()
    lines = console.run("statistics").splitlines()
    for line in (
        "accounts: 4",
        "friendships: 2",
        "groups: 1",
        "discussions: 0",
        "queued events: 1",
        "accounts with queued events: 2",
    ):
        assert line in lines


def test_backup(console: AdminConsole) -> None:
    """
    A backup of a running server's database has mode 0600 and never replaces a
    file.
    """
    server = Store(console.path)
    copy = console.folder / "copy.db"
    console.run("backup", str(copy))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert console.refused("backup", str(copy)).endswith("File exists")
    store = Store(copy)
    assert store.admin.population() == server.admin.population()
    store.close()
    server.close()


def test_serverRunning(console: AdminConsole) -> None:
    """
    A running server sees every change at once; removing an account is refused,
    because its sessions would stay signed on.
    """
    store = Store(console.path)
    harness = ServerHarness(store=store, population="")
    carol, dave = harness.client(CAROL), harness.client(DAVE)
    console.run("friendship", "add", "10003", "10004")
    carol.tell(DAVE, "hello")
    assert textsOf(dave.poll().response) == ["hello"]
    console.run("member", "add", "200001", "10003")
    harness.client(ALICE).tellCats("meow")
    values = [event["value"] for event in carol.poll().response.result]
    assert "group_join" in [value.get("type") for value in values]
    assert textsOf(carol.poll().response) == ["meow"]
    console.run("account", "add", "10009", "--password-file=-", typed="x\n")
    assert store.accounts.get(Number(10009)) is not None
    problem = console.refused("account", "remove", "10009")
    assert "a server has it open; stop the server first" in problem
    console.run("group", "remove", "200001")
    assert store.groups.get(CATS) is None
    store.close()


def changesOf(client: HTTPClient) -> list[dict[str, Any]]:
    """
    Return the values of the events about groups that wait for a client.
    """
    changes: list[dict[str, Any]] = []
    ack = 0
    for _ in range(20):
        poll = client.poll(ack=ack)
        client.harness.clock.advance(0)
        if not poll.isAnswered:
            poll.close()
            return changes
        reply = poll.response.json
        ack = reply.get("ack", 0)
        # The newest one comes first.
        values = [event["value"] for event in reversed(reply["result"])]
        changes += [v for v in values if v.keys() & {"gcode", "group_code"}]
    raise AssertionError("events without end")


def test_groupEvents(console: AdminConsole) -> None:
    """
    Members are told of what an operator changes in a group while the server runs, the
    removed ones as well.
    """
    store = Store(console.path)
    harness = ServerHarness(store=store, population="")
    bob, dave = harness.client(BOB).catchUp(), harness.client(DAVE).catchUp()
    cats = "200001"
    console.run("group", "set", cats, "--name", "dogs", "--memo", "meow")
    console.run("group", "set", cats, "--name", "dogs")
    console.run("member", "card", cats, "10002", "Tommy")
    console.run("member", "card", cats, "10002", "Tommy")
    console.run("member", "admin", cats, "10004")
    console.run("member", "admin", cats, "10004")
    console.run("member", "admin", cats, "10004", "--revoke")
    console.run("group", "transfer", cats, "10004")
    console.run("member", "remove", cats, "10002")
    console.run("member", "add", cats, "10003")
    console.run("group", "remove", cats)
    harness.clock.advance(SWEEP)
    edit, card, granted, revoked, owner, left = changesOf(bob)
    assert (edit["name"], edit["op_uin"], edit["from_uin"]) == ("dogs", 0, bob.gid)
    assert edit.keys().isdisjoint({"memo", "fingermemo", "option"})
    assert edit["time"] == int(harness.clock.seconds())
    assert edit["msg_id2"]
    assert (card["muin"], card["card"]) == (bob.uin(BOB), "Tommy")
    assert [granted["uin_flag"], revoked["uin_flag"]] == [1, 0]
    assert granted["uin"] == bob.uin(DAVE)
    assert (owner["new_uin"], owner["old_uin"]) == (bob.uin(DAVE), bob.uin(ALICE))
    assert (left["type"], left["op_type"]) == ("group_leave", 3)
    assert (left["old_member"], left["admin_nick"]) == (bob.uin(BOB), "管理员")
    *_, joined, dissolved = changesOf(dave)
    assert (joined["type"], joined["new_member"]) == ("group_join", dave.uin(CAROL))
    assert (dissolved["type"], dissolved["op_type"]) == ("group_leave", 1)
    assert store.operatorEvents.after(0) == []
    store.close()


def test_groupEventsBefore(console: AdminConsole) -> None:
    """
    Changes by an operator while no server ran are told by the next one, once. A
    recipient whose account was removed since is left out.
    """
    console.run("group", "add", "200009", "--name", "fish", "--owner", "10003")
    console.run("member", "add", "200009", "10002")
    console.run("member", "remove", "200009", "10002")
    console.run("member", "add", "200009", "10004")
    console.run("account", "remove", "10002")
    store = Store(console.path)
    harness = ServerHarness(store=store, population="")
    harness.clock.advance(1)
    assert store.operatorEvents.after(0) == []
    assert store.messages.waiting(BOB, 0, 9) == []
    harness.server.stop()
    store.close()
    store = Store(console.path)
    harness = ServerHarness(store=store, population="")
    carol = harness.client(CAROL).catchUp()
    types = [change["type"] for change in changesOf(carol)]
    assert types == ["group_create", "group_join", "group_leave", "group_join"]
    assert changesOf(carol) == []
    store.close()


def test_groupEventsNotWritten(
    console: AdminConsole,
    monkeypatch: pytest.MonkeyPatch,
    flushLoggedErrors: Callable[..., list[Failure]],
) -> None:
    """
    Events that could not be written with their recipients are told by the next
    server.
    """
    store = Store(console.path)
    harness = ServerHarness(store=store, population="")
    bob = harness.client(BOB)
    console.run("member", "card", "200001", "10002", "Tommy")
    with monkeypatch.context() as broken:
        broken.setattr(store.messages.sentIds, "write", lambda sent: 1 / 0)
        harness.state.router.sendOnce(BOB, "x", lambda: Sent(1, 2))
        harness.state.sweep()
        harness.clock.advance(0)
    assert len(flushLoggedErrors(ZeroDivisionError)) == 1
    assert changesOf(bob) == []
    harness.server.stop()
    store.close()
    store = Store(console.path)
    bob = ServerHarness(store=store, population="").client(BOB)
    [card] = changesOf(bob)
    assert card["card"] == "Tommy"
    store.close()


def test_setAccount(console: AdminConsole) -> None:
    """
    C{account set} changes the nick and the profile, and an empty value removes
    one; what is not valid changes nothing.
    """
    console.run("account", "set", "10002", "nick=Robert", "city=舟山", "blood=2")
    console.run("account", "set", "10002", "birthday=1990-10-01", "city=")
    store = console.store()
    account = store.accounts.get(BOB)
    assert account is not None
    assert account.nick == "Robert"
    assert account.profile == {"birthday": [1990, 10, 1], "blood": 2}
    assert account.firstHash == passwordHash("b")
    store.close()
    for problem, value in (
        ("'password' is none of", "password=x"),
        ("is not KEY=VALUE", "nick"),
        ("blood is not valid: 'x'", "blood=x"),
        ("birthday is not valid", "birthday=1990"),
        ("gender", "gender=other"),
        ("allow", "allow=9"),
    ):
        assert problem in console.refused("account", "set", "10002", value)
    assert "no account 10077" in console.refused("account", "set", "10077", "nick=x")


def test_setGroup(console: AdminConsole) -> None:
    """
    C{group set} and C{group transfer} change a group; C{group list} lists it.
    """
    group = str(CATS)
    console.run("group", "set", group, "--name", "dogs", "--memo", "woof")
    console.run("group", "transfer", group, str(BOB))
    assert console.run("group", "list") == f"{CATS}\t3\t{BOB}\tdogs\n"
    shown = console.run("group", "show", group)
    assert "memo: woof" in shown
    assert f"owner: {BOB}" in shown
    assert f"member: {ALICE}" in shown
    assert "is the owner" in console.refused("group", "transfer", group, str(BOB))
    assert "not a member" in console.refused("group", "transfer", group, str(CAROL))
    assert "--name is empty" in console.refused("group", "set", group, "--name", " ")
    assert "none of --name" in console.refused("group", "set", group)


def test_lists(console: AdminConsole) -> None:
    """
    Friendships and discussions are listed.
    """
    store = console.store()
    importPopulation(store, parse(EVERYTHING))
    store.friends.remove(CAROL, ALICE)
    store.close()
    assert console.run("friendship", "list", str(BOB)) == (
        f"{ALICE}\t{BOB}\n{BOB}\t10009\n"
    )
    everything = console.run("friendship", "list")
    assert f"{ALICE}\t{CAROL}\tonly in the list of {ALICE}\n" in everything
    assert console.run("discussion", "list") == f"300001\t2\t{CAROL}\tthe trip\n"


def test_block(console: AdminConsole) -> None:
    """
    C{block} does what the account itself can do.
    """
    console.run("block", "add", str(BOB), str(ALICE))
    console.run("block", "strangers", str(BOB))
    assert console.run("block", "list", str(BOB)) == f"{ALICE}\tAlice\nstrangers\n"
    again = console.refused("block", "add", str(BOB), str(ALICE))
    assert again == f"account {BOB} blocks {ALICE} already"
    assert "cannot block itself" in console.refused("block", "add", str(BOB), str(BOB))
    store = console.store()
    assert store.attitude(BOB, ALICE) is Attitude.BLOCKED
    assert store.attitude(BOB, DAVE) is Attitude.REFUSED_STRANGER
    store.close()
    console.run("block", "remove", str(BOB), str(ALICE))
    console.run("block", "strangers", str(BOB), "--allow")
    assert console.run("block", "list", str(BOB)) == ""
    assert "does not block" in console.refused("block", "remove", str(BOB), str(ALICE))


def test_disable(console: AdminConsole) -> None:
    """
    A disabled account cannot sign on, and its session ends within seconds; it can
    when it is enabled again. C{account sign-off} ends a session only.
    """
    server = Store(console.path)
    harness = ServerHarness(store=server)
    alice, bob = harness.client(ALICE), harness.client(BOB)
    harness.clock.advance(SWEEP)
    online = console.run("account", "online")
    assert [each.split("\t")[::2] for each in online.splitlines()] == [
        [str(ALICE), "Alice"],
        [str(BOB), "Bob's"],
    ]
    console.run("account", "disable", str(BOB))
    console.run("account", "sign-off", str(ALICE))
    harness.clock.advance(SWEEP)
    for client in (alice, bob):
        assert client.poll().response.json["retcode"] == 100
    assert console.run("account", "online") == ""
    assert "is not online" in console.refused("account", "sign-off", str(ALICE))
    response = bob.tryLogin("b", bob.check()[1])
    assert b"ptuiCB('19'" in response.body
    assert b"ptuiCB('3'" in bob.tryLogin("wrong", bob.check()[1]).body
    assert console.run("account", "disabled") == f"{BOB}\tBob's\n"
    assert "disabled: yes" in console.run("account", "show", str(BOB))
    assert "disabled already" in console.refused("account", "disable", str(BOB))
    console.run("account", "enable", str(BOB))
    assert "is not disabled" in console.refused("account", "enable", str(BOB))
    for client in (alice, bob):
        client.logIn()
        client.join()
    harness.server.stop()
    server.close()
    # The list of a server that is gone counts no more.
    assert console.run("account", "online") == ""


def test_exposed(console: AdminConsole) -> None:
    """
    A population file with passwords that others can read causes a warning.
    """
    file = console.folder / "people.toml"
    file.write_text(POPULATION, encoding="utf-8")
    file.chmod(0o644)
    code, out, err = console.attempt("import", str(file))
    assert (code, out) == (0, "")
    assert f"others can read the passwords in this file: chmod 600 {file}" in err
    file.chmod(0o600)
    assert console.run("import", str(file)) == ""


def test_hashPassword(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    C{hash-password} prints the hash of a password, and needs no database.
    """
    monkeypatch.setattr("sys.stdin", io.StringIO("oolong\n"))
    assert main(["hash-password", "--password-file", "-"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert parseHash(out.rstrip("\n")).isOf("oolong")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["hash-password"]) == 1
    assert "no password" in capsys.readouterr().err
