"""
A bot on an account of today's QQ, which the surface passes on to another program.
"""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from tests.onebot.surface.bots import MemoryBot
from txwebqq.onebot.memory.program import MemoryOneBot


class Proxy:
    """
    A program with a friend and a group, and a bot.
    """

    def __init__(self) -> None:
        self.program = MemoryOneBot()
        self.alice = self.program.addFriend("Alice")
        self.group = self.program.addGroup("cats", self.alice)
        person: Any = SimpleNamespace(number=self.program.number, run=self.program.run)
        self.bot = MemoryBot(self.program, person)  # type: ignore[arg-type]
        self.bot.signOn()

    def told(self) -> dict[str, Any]:
        """
        Return the last event of the bot.
        """
        self.program.settle(1)
        return self.bot.events[-1]

    def asked(self, action: str) -> dict[str, Any]:
        """
        Return the parameters of the last call of an action.
        """
        found = [params for name, params in self.program.calls if name == action]
        return dict(found[-1])


@pytest.fixture
def proxy() -> Proxy:
    """
    The program and the bot.
    """
    return Proxy()


def test_messages(proxy: Proxy) -> None:
    """
    Mentions and replies pass both ways, and a recall names the program's message.
    """
    program, bot = proxy.program, proxy.bot
    me = str(program.number)
    first = program.tellGroup(proxy.group, proxy.alice, "who?")
    known = proxy.told()["message_id"]
    program.tellGroup(
        proxy.group,
        proxy.alice,
        [
            {"type": "reply", "data": {"id": str(first)}},
            {"type": "at", "data": {"qq": me}},
            {"type": "text", "data": {"text": " you"}},
        ],
    )
    reply, mention, text = proxy.told()["message"]
    assert reply == {"type": "reply", "data": {"id": str(known)}}
    assert mention["data"]["qq"] == me
    assert text["data"]["text"] == " you"
    sent = bot.call(
        "send_group_msg",
        group_id=proxy.group,
        message=f"[CQ:reply,id={known}][CQ:at,qq={proxy.alice}] me",
    )
    message = proxy.asked("send_group_msg")["message"]
    assert message[0] == {"type": "reply", "data": {"id": str(first)}}
    assert message[1]["type"] == "at"
    assert message[1]["data"]["qq"] == str(proxy.alice)
    for messageId in (known, sent["message_id"]):
        bot.call("delete_msg", message_id=messageId)
    deleted = [p for name, p in program.calls if name == "delete_msg"]
    assert deleted[0]["message_id"] == first
    assert len(deleted) == 2


def test_members(proxy: Proxy) -> None:
    """
    Mutes, pokes and reactions pass.
    """
    program, bot = proxy.program, proxy.bot
    first = program.tellGroup(proxy.group, proxy.alice, "who?")
    known = proxy.told()["message_id"]
    member = {"group_id": int(proxy.group), "user_id": int(proxy.alice)}
    bot.call("set_group_ban", **member, duration=60)
    assert proxy.asked("set_group_ban") == {**member, "duration": 60}
    bot.call("set_group_whole_ban", group_id=proxy.group)
    assert proxy.asked("set_group_whole_ban")["enable"] is True
    bot.call("send_poke", **member)
    bot.call("set_msg_emoji_like", message_id=known, emoji_id="76")
    like = proxy.asked("set_msg_emoji_like")
    assert (like["message_id"], like["emoji_id"]) == (first, "76")
    bot.call("set_msg_emoji_like", message_id=known, emoji_id="128077")
    assert proxy.asked("set_msg_emoji_like")["emoji_id"] == "128077"


def test_notices(proxy: Proxy) -> None:
    """
    Notices pass.
    """
    program = proxy.program
    first = program.tellGroup(proxy.group, proxy.alice, "who?")
    known = proxy.told()["message_id"]
    member = {"group_id": int(proxy.group), "user_id": int(proxy.alice)}
    operator = {"operator_id": int(proxy.alice)}
    for kind, subType, fields in (
        ("group_ban", "ban", {**operator, "duration": 60}),
        ("notify", "poke", {"target_id": int(program.number)}),
        ("group_recall", "", {**operator, "message_id": first}),
    ):
        program.notice(kind, subType, **member, **fields)
        event = proxy.told()
        expected = {**member, **fields, "notice_type": kind}
        if "message_id" in fields:
            expected["message_id"] = known
        assert event.items() >= expected.items()


def test_invitation(proxy: Proxy) -> None:
    """
    An invitation to a group is a request, which is accepted.
    """
    proxy.program.request(
        "group", "invite", group_id=777, user_id=int(proxy.alice), flag="f", comment="c"
    )
    event = proxy.told()
    assert event["request_type"] == "group"
    assert event["sub_type"] == "invite"
    assert (event["group_id"], event["user_id"]) == (777, proxy.alice)
    proxy.bot.call("set_group_add_request", flag=event["flag"], approve=True)
    asked = proxy.asked("set_group_add_request")
    assert (asked["flag"], asked["sub_type"], asked["approve"]) == ("f", "invite", True)


def test_files(proxy: Proxy) -> None:
    """
    Files of groups pass.
    """
    address = "base64://" + b64encode(b"tea").decode()
    group = {"group_id": int(proxy.group)}
    proxy.bot.call("upload_group_file", **group, file=address, name="t.txt")
    (file,) = proxy.bot.call("get_group_root_files", **group)["files"]
    assert file["file_name"] == "t.txt"
    params = {**group, "file_id": file["file_id"]}
    assert proxy.bot.call("get_group_file_url", **params)["url"] == address
    proxy.bot.call("delete_group_file", **params)
    assert proxy.bot.call("get_group_root_files", **group)["files"] == []
