"""
C{CHATHISTORY}, play-back and labels.
"""

from __future__ import annotations

import re

import pytest

from tests.irc.memorygateway import Client, MemoryGateway

ALL = ("batch", "message-tags", "server-time", "standard-replies", "echo-message")


@pytest.fixture
def client(gateway: MemoryGateway) -> Client:
    """
    A client with C{draft/chathistory}, after five messages from one friend.
    """
    client = gateway.client(
        *ALL, "draft/chathistory", "labeled-response", "account-tag"
    )
    for text in "abcde":
        gateway.ming.tell(gateway.alice, text)
        gateway.web.settle(3)
    return client


def texts(seen: str) -> str:
    """
    The texts of the messages in a reply, joined.
    """
    return "".join(re.findall(r"PRIVMSG me :(\w)\r", seen))


def tagOf(seen: str, text: str, tag: str) -> str:
    [line] = [
        line for line in seen.splitlines() if line.endswith(f"PRIVMSG me :{text}")
    ]
    found = re.search(f"[@;]{tag}=([^; ]+)", line)
    assert found is not None, line
    return found[1]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("LATEST 小明 * 3", "cde"),
        ("LATEST 小明 {c} 5", "de"),
        ("LATEST 小明 * 999", "abcde"),
        ("BEFORE 小明 {d} 2", "bc"),
        ("AFTER 小明 {b} 2", "cd"),
        ("AROUND 小明 {c} 3", "bcd"),
        ("BETWEEN 小明 {a} {d} 9", "bc"),
        ("BETWEEN 小明 {d} {a} 1", "c"),
    ],
)
@pytest.mark.parametrize("kind", ["msgid", "time"])
def test_chathistory(client: Client, question: str, expected: str, kind: str) -> None:
    """
    Each subcommand selects its messages by msgid and by time, in one batch, in
    the order of time.
    """
    everything = client.send("CHATHISTORY LATEST 小明 * 100")
    name = "timestamp" if kind == "time" else kind
    points = {c: f"{name}={tagOf(everything, c, kind)}" for c in "abcde"}
    seen = client.send("CHATHISTORY " + question.format(**points))
    assert texts(seen) == expected
    first, *inner, last = seen.splitlines()
    reference = first.split()[2].removeprefix("+")
    assert first == f":qq.test BATCH +{reference} chathistory 小明"
    assert last == f":qq.test BATCH -{reference}"
    assert all(f"batch={reference}" in line.split()[0] for line in inner)


def test_targets(gateway: MemoryGateway, client: Client) -> None:
    """
    C{TARGETS} lists the conversations with messages between two times.
    """
    gateway.ming.tellGroup("猫咪", "here too")
    gateway.web.settle(3)
    seen = client.send(
        "CHATHISTORY TARGETS timestamp=2013-01-01T00:00:00.000Z"
        " timestamp=2014-01-01T00:00:00Z 10"
    )
    assert re.findall(r"CHATHISTORY TARGETS (\S+) 2013-", seen) == [
        "*qq",
        "小明",
        "#猫咪",
    ]
    assert "BATCH +b1 draft/chathistory-targets" in seen


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("", "INVALID_PARAMS * "),
        ("SOON 小明 * 3", "INVALID_PARAMS SOON "),
        ("LATEST 小明 *", "INVALID_PARAMS LATEST "),
        ("LATEST nobody * 3", "INVALID_TARGET LATEST nobody "),
        ("LATEST 小明 * many", "INVALID_PARAMS LATEST many "),
        ("LATEST 小明 * 0", "INVALID_PARAMS LATEST 0 "),
        ("BEFORE 小明 msgid=1-1 3", "MESSAGE_ERROR BEFORE "),
        ("BEFORE 小明 * 3", "INVALID_PARAMS BEFORE * "),
        ("BEFORE 小明 timestamp=2013-99-01T00:00:00Z 3", "INVALID_PARAMS BEFORE "),
    ],
)
def test_refused(client: Client, question: str, expected: str) -> None:
    """
    A query that cannot be answered is answered with one C{FAIL}.
    """
    answer = client.send(f"CHATHISTORY {question}")
    assert answer.startswith(f":qq.test FAIL CHATHISTORY {expected}")
    assert answer.count("\r\n") == 1


def test_alwaysFails(gateway: MemoryGateway) -> None:
    """
    Clients without C{standard-replies} get C{FAIL} too, since the specification
    of C{chathistory} requires it.
    """
    answer = gateway.client().send("CHATHISTORY LATEST nobody * 3")
    assert "FAIL CHATHISTORY INVALID_TARGET LATEST nobody :No such" in answer


def test_playBack(gateway: MemoryGateway) -> None:
    """
    Clients with C{batch} are played back what they have missed in one batch
    for each conversation.
    """
    gateway.client(*ALL).close()
    gateway.ming.tell(gateway.alice, "one")
    gateway.ming.tellGroup("猫咪", "two")
    gateway.web.settle(3)
    seen = gateway.client(*ALL).seen
    batches = re.findall(r"BATCH \+(\S+) chathistory (\S+)", seen)
    assert [target for _, target in batches] == ["小明", "#猫咪"]
    for (reference, _), text in zip(batches, ("one", "two"), strict=True):
        assert f"batch={reference}" in next(
            line for line in seen.splitlines() if line.endswith(text)
        )


def test_noPlayBack(gateway: MemoryGateway) -> None:
    """
    Clients with C{draft/chathistory} are not played back anything by
    themselves.
    """
    gateway.client().close()
    gateway.ming.tell(gateway.alice, "missed")
    gateway.web.settle(3)
    client = gateway.client("batch", "draft/chathistory")
    assert "missed" not in client.seen
    assert "missed" in client.send("CHATHISTORY LATEST 小明 * 10")


def test_labels(gateway: MemoryGateway, client: Client) -> None:
    """
    Each answer has the label of its command, also one that is sent later; no
    other line has it.
    """
    for question, answer in (
        ("PING x", "@label=7 :qq.test PONG "),
        ("PONG x", "@label=7 :qq.test ACK\r\n"),
        ("LIST", "@label=7 :qq.test BATCH +"),
        ("CHATHISTORY LATEST 小明 * 1", "@label=7 :qq.test BATCH +"),
        ("PRIVMSG nobody x", "@label=7 :qq.test 401 "),
        ("PRIVMSG *qq :help", "@label=7 :qq.test BATCH +"),
        ("PRIVMSG 小明 x", "@label=7;account=alice;time="),
        ("CAP LIST", "@label=7 :qq.test CAP "),
    ):
        seen = client.send(f"@label=7 {question}")
        assert seen.startswith(answer), question
        assert seen.count("label=7") == 1, question


def test_unlabelled(gateway: MemoryGateway) -> None:
    """
    Clients without C{labeled-response} get no labels.
    """
    assert "label" not in gateway.client().send("@label=7 PING x")


def test_accountTag(gateway: MemoryGateway, client: Client) -> None:
    """
    Messages have the sender's QQ number in their C{account} tag.
    """
    client.transport.clear()
    gateway.ming.tell(gateway.alice, "x")
    gateway.web.settle(3)
    assert f"account={gateway.ming.number}" in client.seen
