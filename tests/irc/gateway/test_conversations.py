"""
Conversations: each message once, in one order.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Font, Text


def timesOf(lines: str) -> list[str]:
    return re.findall("time=([^ ;]+)", lines)


def history(client: Client, target: str) -> str:
    return client.send(f"CHATHISTORY LATEST {target} * 50")


def test_sameWordsInOneSecond(gateway: MemoryGateway) -> None:
    """
    The same words of the same member in the same second are shown as often as
    they were said.
    """
    client = gateway.client()
    for _ in range(3):
        gateway.ming.tellGroup("猫咪", "哈哈")
        gateway.ming.tell(gateway.alice, "哈哈")
    gateway.web.settle(3)
    assert client.seen.count("PRIVMSG #猫咪 :哈哈") == 3
    assert client.seen.count("PRIVMSG me :哈哈") == 3


def test_twoAccountsInOneGroup() -> None:
    """
    A group message that two accounts of the user receive is shown once, also
    the same words in the same second.
    """
    gateway = MemoryGateway()
    web, user = gateway.web, gateway.aliceUser
    hua = web.person("阿花")
    web.group("狗", gateway.ming, gateway.alice, hua)
    account = user.accounts[hua.number] = QQAccount(hua.number, user)
    hua.run(AccountFactory(account))
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    client = gateway.client()
    for _ in range(2):
        gateway.ming.tellGroup("狗", "汪")
    web.settle(3)
    assert client.seen.count("PRIVMSG #狗 :汪") == 2


def test_deliveredAgain(gateway: MemoryGateway) -> None:
    """
    A private message that the server delivers again is shown and stored once: the
    gateway may have been killed before it could acknowledge the first delivery.
    """
    client = gateway.client("batch", "draft/chathistory")
    user = gateway.aliceUser
    (account,) = user.accounts.values()
    target = Target(TargetKind.CONTACT, gateway.ming.number)
    message = IncomingMessage(
        target,
        gateway.ming.number,
        (Text("茶"),),
        Font(),
        1366004001,
        key="1366004001.7.8",
        id=8,
    )
    client.transport.clear()
    for _ in range(2):
        user.messageReceived(account, message)
    gateway.web.settle(1)
    assert client.seen.count("PRIVMSG me :茶") == 1
    assert history(client, "小明").count(":茶") == 1
    user.messageReceived(account, replace(message, key="1366004001.8.9", id=9))
    gateway.web.settle(1)
    assert history(client, "小明").count(":茶") == 2


def test_order(gateway: MemoryGateway) -> None:
    """
    Questions and answers of one second are in the order of their arrival, with
    times that are distinct and do not go back.
    """
    client = gateway.client(
        "batch", "draft/chathistory", "message-tags", "server-time", "echo-message"
    )
    client.transport.clear()
    said = "".join(f"{n}" for n in range(8))
    for number in said:
        gateway.web.settle(0.1)
        if int(number) % 2:
            client.connection.dataReceived(f"PRIVMSG 小明 :{number}\r\n".encode())
        else:
            gateway.ming.tell(gateway.alice, number)
    gateway.web.settle(0.1)
    live = client.seen
    found = history(client, "小明")
    assert "".join(re.findall(r"PRIVMSG \S+ :(\d)", found)) == said
    times = timesOf(found)
    assert times == sorted(set(times))
    assert timesOf(live) == times


def test_everyTimeIsReached(gateway: MemoryGateway) -> None:
    """
    A client that pages through the history by C{timestamp=} gets every message,
    also of many that were said in one second.
    """
    client = gateway.client("batch", "draft/chathistory", "message-tags", "server-time")
    for number in range(9):
        gateway.ming.tellGroup("猫咪", f"n{number}")
    gateway.web.settle(3)
    found, time = [], "1970-01-01T00:00:00.000Z"
    while page := client.send(f"CHATHISTORY AFTER #猫咪 timestamp={time} 2"):
        texts = re.findall(r"PRIVMSG \S+ :n(\d)", page)
        if not texts:
            break
        found += texts
        time = timesOf(page)[-1]
    assert "".join(found) == "012345678"


def test_clockAhead(gateway: MemoryGateway) -> None:
    """
    A server whose clock is ahead does not date messages in the future, so that
    the answers to them are not dated so either.
    """
    client = gateway.client("server-time")
    conversations = gateway.aliceUser.conversations
    now = gateway.clock.seconds()
    [target] = gateway.aliceUser.accounts[gateway.alice.number].contacts.conversations
    for time in (int(now) + 3600, int(now) - 60):
        conversations.record(
            conversations.newMessage(target, 0, gateway.ming.number, "x", "y", time)
        )
    stored = gateway.aliceUser.history.latest("alice", target, 5)
    assert [message.time - int(now * 1000) for message in stored] == [0, 1]
    assert len(timesOf(client.seen)) >= 2
