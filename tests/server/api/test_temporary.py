"""
Messages in temporary chats, over HTTP.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.server.harness import ALICE, BOB, DAVE, HTTPClient, ServerHarness
from txwebqq.model import Did
from txwebqq.server.domain.temporary import TemporaryChatRules
from txwebqq.server.storage.store import Store
from txwebqq.wire.commands.settings import PRIVACY, STRANGERS
from txwebqq.wire.commands.temporary import IN_DISCUSSION


@pytest.fixture
def harness() -> ServerHarness:
    return ServerHarness()


def test_sessMessage(harness: ServerHarness) -> None:
    """
    A message in a temporary chat arrives as in protocol.md 5.4.
    """
    bob, dave = harness.client(BOB), harness.client(DAVE).catchUp()
    signed = bob.channel(
        "get_c2cmsg_sig2", id=bob.gid, to_uin=bob.uin(DAVE), service_type=0
    ).result
    assert (signed["type"], len(signed["value"])) == (0, 48)
    bob.channel(
        "send_sess_msg2",
        to=bob.uin(DAVE),
        group_sig=signed["value"],
        face=549,
        content='["hi",["font",{}]]',
        msg_id=1,
        service_type=0,
    )
    [event] = dave.poll().response.result
    value = event["value"]
    assert event["poll_type"] == "sess_message"
    assert (value["id"], value["ruin"]) == (dave.gid, BOB)
    assert (value["service_type"], value["msg_type"]) == (0, 140)


def test_borrowedSignature(harness: ServerHarness) -> None:
    """
    The signature of another member is refused, also with the sender's own id of the
    group.
    """
    alice, bob, dave = (harness.client(n) for n in (ALICE, BOB, DAVE))
    value = bob.channel(
        "get_c2cmsg_sig2", id=bob.gid, to_uin=bob.uin(DAVE), service_type=0
    ).result["value"]
    answer = alice.channel(
        "send_sess_msg2",
        to=alice.uin(DAVE),
        group_sig=f"{alice.gid:08x}{value[8:]}",
        content='["hi"]',
        service_type=0,
    )
    assert answer.json["retcode"] == 100001
    assert not dave.catchUp().poll().isAnswered


def test_strangersRefused(harness: ServerHarness) -> None:
    """
    An account that refuses the messages of strangers still gets those of friends;
    other messages of strangers are refused as without that setting.
    """
    alice, dave = harness.client(ALICE), harness.client(DAVE)
    harness.store.settings.update(BOB, PRIVACY, {STRANGERS: "false"})

    def chat(client: HTTPClient) -> int:
        uin = client.uin(BOB)
        signed = client.channel(
            "get_c2cmsg_sig2", id=client.gid, to_uin=uin, service_type=0
        ).result
        code: int = client.channel(
            "send_sess_msg2",
            to=uin,
            group_sig=signed["value"],
            content='["hi"]',
            service_type=0,
        ).json["retcode"]
        return code

    assert (chat(alice), chat(dave)) == (0, 111)
    assert dave.tell(BOB, "hi").json["retcode"] == 100001
    harness.store.settings.update(BOB, PRIVACY, {STRANGERS: "true"})
    assert chat(dave) == 0


def test_signatureAfterRestart(tmp_path: Path) -> None:
    """
    A signature stays valid when the server is restarted.
    """
    signatures = set()
    path = tmp_path / "secret.db"
    for seed in (1, 2):
        store = Store(path)
        harness = ServerHarness(store=store)
        if seed == 1:
            chat = store.discussions.create("x", ALICE, [ALICE, BOB])
        session = harness.client(ALICE).harness.state.sessions.online(ALICE)
        assert session is not None
        # Uins differ from run to run, numbers do not.
        temporaryRules = TemporaryChatRules(harness.state, Random(seed))
        signature = temporaryRules.signature(
            session, Did(chat), session.sessionIds.uin(BOB), IN_DISCUSSION
        )
        signatures.add(signature)
        harness.disconnectAll()
        store.close()
    assert len(signatures) == 1
