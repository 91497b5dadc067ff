"""
Two processes with one database: presence, limits, sign-on and sweeps.
"""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.server.fleet.harness import FleetHarness
from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    DAVE,
    START,
    HTTPClient,
    textsOf,
)
from txwebqq.server.fleet import sessions as fleetsessions
from txwebqq.server.fleet import state as fleetstate
from txwebqq.server.fleet.state import RECOUNT, SWEEP_EVERY
from txwebqq.server.resource import SWEEP
from txwebqq.server.sessions.captchas import SUSPICIOUS, CaptchaMode
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.sessions.sessions import FORGET, LAPSE
from txwebqq.server.storage.accounts import DAY
from txwebqq.server.storage.store import Store
from txwebqq.wire.digests import passwordHash

TOO_FAST = 112


def signedOn(harness: FleetHarness, *numbers: int) -> list[HTTPClient]:
    clients = [harness.client(number) for number in numbers]  # type: ignore[arg-type]
    for client in clients:
        client.catchUp()
    return clients


def sweeps(harness: FleetHarness, seconds: float) -> None:
    """
    Have time pass, without an interval in which nothing is swept.
    """
    harness.clock.pump([SWEEP] * int(seconds / SWEEP))


def statuses(client: HTTPClient) -> list[str]:
    poll = client.poll()
    if not poll.isAnswered:
        poll.close()
        return []
    events = [event["value"] for event in poll.response.result]
    return [value["status"] for value in events if "status" in value]


def test_presence(pair: FleetHarness) -> None:
    """
    A poll that a process holds is answered with the status that a friend has chosen at
    the other.
    """
    alice, bob = signedOn(pair, ALICE, BOB)
    pair.target = 0
    poll = alice.poll()
    pair.target = 1
    bob.channel("change_status2", newstatus="busy")
    (event,) = poll.response.result
    assert event["value"]["uin"] == alice.uin(BOB)
    assert event["value"]["status"] == "busy"


def test_rates(pair: FleetHarness) -> None:
    """
    Messages that an account sends at both processes are counted together.
    """
    pair.limit(SendingLimits(messages=5, conversation=9))
    alice, _ = signedOn(pair, ALICE, BOB)
    codes = [alice.tell(BOB, str(n)).json["retcode"] for n in range(7)]
    assert codes == [0] * 5 + [TOO_FAST] * 2


def test_order(pair: FleetHarness) -> None:
    """
    Messages that are sent to a group at both processes have the same order for
    each member, and no id and sequence number twice.
    """
    alice, bob, dave = signedOn(pair, ALICE, BOB, DAVE)
    for n in range(10):
        for client in (alice, bob):
            client.tellCats(f"{client.number} {n}")
    seen = []
    for client in (alice, bob, dave):
        ack, found = 0, []
        while (poll := client.poll(ack)).isAnswered:
            ack = poll.response.json["ack"]
            found += [e["value"] for e in reversed(poll.response.result)]
        seen.append([v for v in found if "content" in v])
    hers, his, all_ = [[v["content"][-1] for v in values] for values in seen]
    assert hers == [text for text in all_ if text.startswith(str(BOB))]
    assert his == [text for text in all_ if text.startswith(str(ALICE))]
    assert len(all_) == 20
    numbers = [value["seq"] for value in seen[2]]
    assert numbers == sorted(set(numbers))
    ids = [(value["send_uin"], value["msg_id"]) for value in seen[2]]
    assert len(set(ids)) == 20


def test_recall(pair: FleetHarness) -> None:
    """
    A message that waits is withdrawn at the other process, and no poll has it.
    """
    alice, bob, dave = signedOn(pair, ALICE, BOB, DAVE)
    said = bob.channel(
        "send_qun_msg2", group_uin=bob.gid, content='["oops",["font",{}]]', msg_id=1
    ).json["msg_id2"]
    answer = bob.channel("recall_qun_msg2", group_uin=bob.gid, msg_id2=said)
    assert answer.json["retcode"] == 0
    for client in (alice, dave):
        poll = client.poll()
        assert not poll.isAnswered or b"oops" not in poll.response.body


def test_captcha(fleetEngine: None) -> None:
    """
    A captcha that a process shows is checked by the other, and once only.
    """
    harness = FleetHarness(
        captcha=CaptchaMode.ALWAYS, draw=str.encode, captchaText="ABCD", size=2
    )
    client = HTTPClient(harness, ALICE)
    assert client.check()[0] == "1"
    image = harness.get(f"/getimage?aid=1003903&r=0.1&uin={ALICE}").response
    cookie = {"Cookie": f"verifysession={image.cookies['verifysession']}"}
    assert "ptwebqq" in client.tryLogin("correct horse", "abcd", cookie).cookies
    assert "ptwebqq" not in client.tryLogin("correct horse", "abcd", cookie).cookies


def test_captchaDrawn(fleetEngine: None) -> None:
    """
    No message waits for the drawing of a captcha: the lock under which messages get
    their numbers is not held meanwhile.
    """
    held: list[int] = []

    def draw(text: str) -> bytes:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        query += " AND mode = 'ExclusiveLock'"
        held.append(harness.store.database.count(query))
        return b"picture"

    harness = FleetHarness(captcha=CaptchaMode.ALWAYS, draw=draw)
    image = harness.get(f"/getimage?aid=1003903&r=0.1&uin={ALICE}").response
    assert (image.body, held) == (b"picture", [0])


def test_wrongPasswords(fleetEngine: None) -> None:
    """
    Wrong passwords at both processes are counted together.
    """
    harness = FleetHarness(captcha=CaptchaMode.SUSPICIOUS, draw=str.encode, size=2)
    client = HTTPClient(harness, ALICE)
    code, text = client.check()
    for _ in range(SUSPICIOUS):
        assert code == "0"
        client.tryLogin("wrong", text)
        code, text = client.check()
    assert code == "1"


@pytest.mark.parametrize("n", [0, 1])
def test_passwordChanged(pair: FleetHarness, n: int) -> None:
    """
    When an operator has changed a password, the next sweep of either process ends the
    session, and its poll is answered wherever it is held.
    """
    alice, bob = signedOn(pair, ALICE, BOB)
    pair.target = 0
    poll = bob.poll()
    with closing(Store(pair.url, shared=True)) as store:
        store.accounts.setPassword(BOB, passwordHash("new"))
    assert not poll.isAnswered
    pair.change(lambda state: state.sweep(), n)
    assert poll.response.json == {"retcode": 100, "errmsg": "logged out"}
    assert statuses(alice) == ["offline"]
    for path in ("get_online_buddies2", "get_recent_list2"):
        assert bob.channel(path).json["retcode"] == 100


def test_onlineCount(pair: FleetHarness) -> None:
    """
    The number of accounts that are online follows sign-ons, sign-offs and sessions
    that lapse, on all processes, and is counted again after an hour.
    """

    def count() -> int:
        return pair.store.database.count(
            "SELECT value FROM counter WHERE name = 'online'"
        )

    _, bob = signedOn(pair, ALICE, BOB)
    pair.clock.advance(SWEEP)
    assert count() == 2
    carol = pair.client(CAROL)
    other = pair.client(ALICE, clientid="99")
    bob.join(bob.psessionid)
    assert count() == 3
    assert [process.onlineCount for process in pair.processes] == [2, 2]
    carol.channel("logout2")
    assert count() == 2
    sweeps(pair, LAPSE + SWEEP)
    assert count() == 0
    other.join(other.psessionid)
    # As the removal of an account does.
    pair.store.database.connection.execute("DELETE FROM session")
    assert count() == 1
    pair.clock.advance(RECOUNT)
    assert count() == 0
    assert [process.onlineCount for process in pair.processes] == [0, 0]


def test_manyLapse(pair: FleetHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When many sessions lapse at once, it takes several transactions, one after another.
    """
    monkeypatch.setattr(fleetsessions, "MAX_LAPSED", 1)
    signedOn(pair, ALICE, BOB, CAROL)
    sweeps(pair, LAPSE)
    before = pair.processes[0].writing.counts.sizes.total
    pair.clock.advance(SWEEP)
    assert pair.state.sessions.onlineCount == 0
    assert pair.processes[0].writing.counts.sizes.total >= before + 3


def test_day(pair: FleetHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A day is counted once for each account that is online, for some of them in one
    sweep and for the others in the next ones.
    """
    monkeypatch.setattr(fleetstate, "DAY_ACCOUNTS", 2)
    signedOn(pair, ALICE, BOB, CAROL)
    execute = pair.store.database.connection.execute
    execute("UPDATE poll_state SET seen = ?", (int(pair.clock.seconds()) + 3 * DAY,))

    def days() -> list[int]:
        rows = execute("SELECT days FROM attendance ORDER BY number").fetchall()
        return [number for (number,) in rows]

    pair.clock.advance(2 * DAY)
    assert days() == [2, 2, 1]
    for _ in range(2):
        pair.clock.advance(SWEEP)
    assert days() == [2, 2, 2]


def test_sweptOnce(pair: FleetHarness) -> None:
    """
    When a process has swept, the other does nothing for some seconds.
    """
    sweeps(pair, LAPSE + SWEEP)
    signedOn(pair, ALICE)
    pair.clock.advance(SWEEP_EVERY - 1)
    pair.store.database.connection.execute("UPDATE poll_state SET seen = 0")
    pair.change(lambda state: state.sweep(), 1)
    assert pair.state.sessions.online(ALICE) is not None
    pair.clock.advance(1)
    pair.change(lambda state: state.sweep(), 1)
    assert pair.state.sessions.online(ALICE) is None


def test_lapse(pair: FleetHarness) -> None:
    """
    A session that polls neither process lapses, its friends are told once, its time
    online is counted once, and it is deleted an hour later.
    """
    alice, bob = signedOn(pair, ALICE, BOB)
    poll = alice.poll()
    for _ in range(int(LAPSE / SWEEP) + 2):
        pair.clock.advance(SWEEP)
        if poll.isAnswered:
            poll = alice.poll() if not statuses(alice) else poll
    assert bob.channel("get_online_buddies2").json["retcode"] == 121
    seconds = pair.store.accounts.onlineTime(BOB).seconds
    assert LAPSE <= seconds <= LAPSE + 2 * SWEEP
    bob = pair.client(BOB)
    assert pair.store.accounts.onlineTime(BOB).seconds == seconds
    assert pair.store.accounts.onlineTime(BOB).days == 1
    for _ in range(int((LAPSE + FORGET) / SWEEP) + 2):
        pair.clock.advance(SWEEP)
    assert pair.store.database.count("SELECT count(*) FROM session") == 0
    assert bob.login2(bob.psessionid).json["retcode"] == 103


def test_secrets(pair: FleetHarness) -> None:
    """
    No table has the ids of a session, a cookie or the digest of a password as it is.
    """
    alice, _ = signedOn(pair, ALICE, BOB)
    other = HTTPClient(pair, CAROL)
    other.logIn()
    alice.tell(BOB, "hi")
    alice.poll()
    secrets = [
        *(alice.psessionid, alice.vfwebqq, alice.ptwebqq, alice.skey),
        *(other.ptwebqq, other.skey),
    ]
    db = pair.store.database.connection
    tables = [
        name
        for (name,) in db.execute(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = current_schema()::regnamespace"
        )
    ]
    assert {"session", "poll_state", "pending_login", "signal"} <= set(tables)
    for table in tables:
        rows = repr(db.execute(f"SELECT * FROM {table}").fetchall())
        for secret in secrets:
            assert secret not in rows, table
            assert repr(bytes.fromhex(secret.strip("@")))[2:-1] not in rows, table
        if table != "account":
            assert repr(passwordHash("correct horse"))[2:-1] not in rows, table


def test_started(pair: FleetHarness) -> None:
    """
    A process that starts later knows all sessions.
    """
    alice, bob = signedOn(pair, ALICE, BOB)
    pair.startProcess()
    pair.target = 2
    poll = bob.poll()
    alice.tell(BOB, "hi")
    assert textsOf(poll.response) == ["hi"]
    assert pair.store.groups.isMember(CATS, ALICE)
    assert pair.clock.seconds() == START


def test_joinRequestAnswered(pair: FleetHarness) -> None:
    """
    A poll that one process holds is answered when another administrator answers a
    request to join at the other process; a second answer is refused.
    """
    alice, bob, carol = signedOn(pair, ALICE, BOB, CAROL)
    session = pair.state.sessions.online(CAROL)
    assert session is not None
    asking = {"gcode": session.sessionIds.code(CATS), "vfwebqq": carol.vfwebqq}
    carol.ask("/api/apply_join_group2", **asking)
    asked = alice.poll(ack=0).response.json
    pair.target = 0
    poll = alice.poll(ack=asked["ack"])
    pair.target = 1
    answer = {"group_uin": bob.gid, "req_uin": bob.uin(CAROL), "op_type": 3}
    assert bob.channel("op_group_join_req", **answer).json["retcode"] == 0
    (event,) = poll.response.result
    assert event["poll_type"] == "group_request_answered"
    assert event["value"]["op_uin"] == alice.uin(BOB)
    pair.target = 0
    late = {"group_uin": alice.gid, "req_uin": alice.uin(CAROL), "op_type": 2}
    assert alice.channel("op_group_join_req", **late).json["retcode"] == 100001
