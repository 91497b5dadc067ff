"""
C{draft/multiline} batches, in both directions.
"""

from __future__ import annotations

import re

import pytest

from tests.irc.memorygateway import Client, MemoryGateway

ALL = ("batch", "message-tags", "standard-replies", "labeled-response")
MULTILINE = "draft/multiline"


@pytest.fixture
def client(gateway: MemoryGateway) -> Client:
    """
    A client with C{draft/multiline}.
    """
    client = gateway.client(*ALL, MULTILINE)
    client.transport.clear()
    return client


def batch(*parts: str, target: str = "小明") -> list[str]:
    return [
        f"@label=7 BATCH +1 {MULTILINE} {target}",
        *(f"@batch=1{part}" for part in parts),
        "BATCH -1",
    ]


def test_sent(gateway: MemoryGateway, client: Client) -> None:
    """
    A batch is sent as one QQ message, and answered at its end.
    """
    other = gateway.client("message-tags")
    other.transport.clear()
    seen = client.send(
        *batch(
            " PRIVMSG 小明 :one",
            " PRIVMSG 小明 :two ",
            f";{MULTILINE}-concat PRIVMSG 小明 :three",
        )
    )
    assert gateway.ming.heard == ["one\ntwo three"]
    assert seen == "@label=7 :qq.test ACK\r\n"
    assert re.findall(r"PRIVMSG 小明 :?(.*)\r", other.seen) == ["one", "two three"]
    assert other.seen.count("msgid=") == 1


def test_blankLines(gateway: MemoryGateway, client: Client) -> None:
    """
    Blank lines between others stay in a batch, in both directions; a client
    without batches gets the other lines.
    """
    other = gateway.client("message-tags")
    other.transport.clear()
    client.send(*batch(" PRIVMSG 小明 :one", " PRIVMSG 小明 :", " PRIVMSG 小明 :two"))
    assert gateway.ming.heard == ["one\n\ntwo"]
    gateway.ming.tell(gateway.alice, "\nthree\n \nfour\n\n")
    gateway.web.settle(3)
    assert re.findall("PRIVMSG me :(.*)\r", client.seen) == ["three", "", "four"]
    assert re.findall("PRIVMSG me :(.*)\r", other.seen) == ["three", "four"]


def test_received(gateway: MemoryGateway, client: Client) -> None:
    """
    A QQ message of several lines is shown as one batch, in which a line that
    was too long is split without loss.
    """
    long = "tea  " * 300
    gateway.ming.tell(gateway.alice, f"one\n{long}end")
    gateway.web.settle(3)
    first, *inner, last = client.seen.splitlines()
    assert re.fullmatch(rf"@msgid=\S+ :小明!\S+ BATCH \+b2 {MULTILINE} me", first)
    assert last.endswith("BATCH -b2")
    text = ""
    for line in inner:
        tags, _, words = line.partition(" ")
        assert "batch=b2" in tags
        assert len(words.encode()) <= 510
        isNew = text and "concat" not in tags
        text += ("\n" if isNew else "") + re.sub(r"^\S+ PRIVMSG me :?", "", words)
    assert text == f"one\n{long}end"


def test_single(gateway: MemoryGateway, client: Client) -> None:
    """
    A message of one line is not a batch.
    """
    gateway.ming.tell(gateway.alice, "one")
    gateway.web.settle(3)
    assert "BATCH" not in client.seen
    assert "PRIVMSG me :one" in client.seen


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([" PRIVMSG 小明 :x"] * 101, "MULTILINE_MAX_LINES 100 "),
        ([f" PRIVMSG 小明 :{'x' * 400}"] * 30, "MULTILINE_MAX_BYTES 8192 "),
        ([" PRIVMSG #猫咪 :x"], "MULTILINE_INVALID_TARGET 小明 #猫咪 "),
        ([" JOIN #猫咪"], "MULTILINE_INVALID :"),
        ([], "MULTILINE_INVALID :"),
    ],
)
def test_refused(
    gateway: MemoryGateway, client: Client, parts: list[str], expected: str
) -> None:
    """
    An invalid batch is refused as a whole, with one reply, and nothing of it
    is sent.
    """
    seen = client.send(*batch(*parts))
    assert seen.startswith(f"@label=7 :qq.test FAIL BATCH {expected}")
    assert seen.count("\r\n") == 1
    assert gateway.ming.heard == []
    client.send("PRIVMSG 小明 :after")
    assert gateway.ming.heard == ["after"]


@pytest.mark.parametrize(
    "line",
    [
        "BATCH",
        "BATCH -1",
        "BATCH +1 chathistory 小明",
        f"BATCH +1 {MULTILINE}",
        "@batch=nine PRIVMSG 小明 :x",
    ],
)
def test_noBatch(gateway: MemoryGateway, client: Client, line: str) -> None:
    """
    A line that belongs to no open batch, and a batch of another type, are
    refused.
    """
    assert "FAIL BATCH MULTILINE_INVALID" in client.send(line)
    assert gateway.ming.heard == []
