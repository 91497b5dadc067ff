"""
Messages that several clients are shown.
"""

from __future__ import annotations

import re

from tests.irc.memorygateway import MemoryGateway
from txwebqq.model import Font, Text


def test_clientsShareLines(gateway: MemoryGateway) -> None:
    """
    Each client is sent a message with its own tags, nick and encoding, also
    when others are sent the same message.
    """
    plain, other = gateway.client(), gateway.client()
    other.send("NICK another")
    tagged = gateway.client("message-tags", "account-tag")
    chinese = gateway.client()
    chinese.send("PRIVMSG 小明 :茶".encode("gb18030"))
    clients = (plain, other, tagged, chinese)
    for client in clients:
        client.transport.clear()
    gateway.ming.tell(gateway.alice, "好")
    gateway.web.settle(1)
    mask = f"小明!{gateway.ming.number}@qq.test"
    assert plain.seen == f":{mask} PRIVMSG me :好\r\n"
    assert other.seen == f":{mask} PRIVMSG another :好\r\n"
    assert tagged.seen.startswith(f"@account={gateway.ming.number};msgid=")
    assert tagged.seen.endswith(f" :{mask} PRIVMSG me :好\r\n")
    assert chinese.transport.value() == plain.seen.encode("gb18030")
    for client in clients:
        client.transport.clear()
    other.send("PRIVMSG #猫咪 :hello")
    assert ":me!alice@qq.test PRIVMSG #猫咪 :hello" in plain.seen
    assert other.seen == ""


def test_clientsShareNoBatches(gateway: MemoryGateway) -> None:
    """
    The batches of clients that are sent the same lines have references of their
    own.
    """
    names = ("batch", "message-tags", "draft/multiline")
    first, second = gateway.client(*names), gateway.client(*names)
    # The answer to a command is a batch of the first client alone.
    first.send("CHATHISTORY LATEST 小明 * 5")
    for client in (first, second):
        client.transport.clear()
    gateway.ming.tell(gateway.alice, "one\ntwo")
    gateway.web.settle(1)
    references = [
        re.findall(r"BATCH \+(\S+) draft/multiline", client.seen)
        for client in (first, second)
    ]
    assert [len(each) for each in references] == [1, 1]
    assert references[0] != references[1]


def test_preferenceForAllClients(gateway: MemoryGateway) -> None:
    """
    A preference that one client sets holds for the next message to all clients.
    """
    first, second = gateway.client(), gateway.client()
    first.send("PRIVMSG *qq :set formatting on")
    for client in (first, second):
        client.transport.clear()
    uin = gateway.ming.uinOf(gateway.alice)
    sent = gateway.ming.protocol.sendMessage(uin, (Text("thick"),), Font(bold=True))
    gateway.web.result(sent)
    gateway.web.settle(1)
    assert ":\x02thick" in first.seen
    assert ":\x02thick" in second.seen
    second.send("PRIVMSG *qq :set formatting off")
    first.transport.clear()
    gateway.ming.tell(gateway.alice, "thin")
    gateway.web.settle(1)
    assert ":thin" in first.seen
