"""
C{twistd webqq-onebot} with the bots of others: NoneBot 2 and aiocqhttp, in an
environment of their own that C{make test} makes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from tests.endtoend.daemons import PATIENCE, ROOT, Daemon, freePort
from tests.irc.programs import missing
from tests.irc.qqfriends import QQFriend
from tests.onebot.botprocesses import FORWARD, PYTHON, TOKEN, BotProcesses, said
from txwebqq.model import Mention, Number, Reply, Text

PAGE = ROOT / "docs/onebot-bots.md"


@pytest.fixture
def installed() -> None:
    """
    Skip a test whose bot is not installed.
    """
    # Not in an asynchronous fixture, whose end would fail.
    if not PYTHON.exists():
        missing("NoneBot or aiocqhttp")


@async_yield_fixture
async def processes(tmp_path: Path, installed: None) -> AsyncIterator[BotProcesses]:
    """
    The processes of a test, which are stopped after it.
    """
    processes = BotProcesses(tmp_path)
    yield processes
    await processes.stop()


async def converse(processes: BotProcesses, bot: Daemon) -> None:
    """
    Have Alice converse with a bot of NoneBot, which knows every event and every reply.
    """
    alice = await processes.alice()
    await alice.tell("小明", "在吗[酷]")
    await alice.shows("you said 在吗[酷]")
    assert "PrivateMessageEvent 10001 True" in bot.output
    await alice.tellGroup("猫咪", "@小明 开饭")
    await alice.shows("200001: you said 开饭")
    assert "GroupMessageEvent group_200001_10001 True" in bot.output
    for action, params, answer in (
        ("get_login_info", {}, '{"user_id": 10002, "nickname": '),
        ("get_friend_list", {}, '[{"user_id": 10001, "nickname": "Alice", '),
        ("get_group_info", {"group_id": 200001}, '{"group_id": 200001, '),
        ("get_group_member_list", {"group_id": 200001}, '[{"group_id": 200001, '),
        ("get_friend_msg_history", {"user_id": 10001, "count": 1}, '{"messages": ['),
        ("get_status", {}, '{"online": true, "good": true'),
        ("delete_msg", {"message_id": 1}, "1200"),
        ("no_such_call", {}, "1404"),
    ):
        await alice.tell("小明", f"call {action} {json.dumps(params)}")
        await alice.shows(f"{action}: {answer}")
    await alice.shake("小明")
    await bot.says("PokeNotifyEvent notice.notify.poke")
    hua = await processes.friend(10003, "tr0ub4dor")
    await hua.befriend(10002, "我是阿花")
    await bot.says("FriendRequestEvent 我是阿花")
    await bot.says("FriendAddNoticeEvent notice.friend_add")
    await hua.shows("PASSED_AND_ADDED")
    await interact(bot, alice, hua)


async def interact(bot: Daemon, alice: QQFriend, hua: QQFriend) -> None:
    """
    Have Alice mention, reply, poke and recall, and a bot of NoneBot do the same, and
    mute a member.
    """
    me = await alice.online()
    group, uin = await alice.groupAndMember("猫咪", 10002)
    mention = Mention(Number(10002), "小明")
    sent = await me.sendGroupMessage(group.gid, [mention, Text(" refer")])
    answer = await said(alice, "@Alice here")
    assert answer.content == (
        Reply(sent.messageId),
        Mention(Number(10001), "Alice"),
        Text(" here"),
    )
    sent = await me.sendGroupMessage(group.gid, [Reply(answer.id), Text("why")])
    await bot.says("a reply to")
    assert re.search(r"a reply to \d+ \[CQ:reply,id=\d+\]\[CQ:at,qq=10001", bot.output)
    await said(alice, "you said why")
    bot.output = ""
    await me.recallGroupMessage(group.gid, sent.messageId)
    await bot.says("recall 200001 10001 10001")
    await bot.says("GroupRecallNoticeEvent notice.group_recall")
    await me.pokeMember(group.gid, uin)
    await bot.says("poke 200001 10001 10002 True")
    sent = await me.sendGroupMessage(group.gid, 'call delete_msg {"message_id": $this}')
    await alice.shows(f"recalled {sent.messageId}")
    await said(alice, "delete_msg: null")
    for action, params, shown in (
        ("set_group_ban", {"user_id": 10003, "duration": 60}, "is muted for 60 s"),
        ("group_poke", {"user_id": 10003}, "pokes"),
    ):
        call = json.dumps({"group_id": 200001, **params})
        await alice.tell("小明", f"call {action} {call}")
        await hua.shows(shown)
        await alice.shows(f"{action}: null")
    await alice.tellGroup(
        "猫咪", 'call set_msg_emoji_like {"message_id": $this, "emoji_id": 76}'
    )
    await alice.shows("reacts")
    await bot.says("mute ban 10003 10002 60")
    await me.sendGroupFile(group.gid, b"tea at eight", "tea.txt")
    await bot.says("file 10001 tea.txt 12 base64://dGVhIGF")
    await alice.shows("shares again.txt")


@ensureDeferred
async def test_nonebotForward(processes: BotProcesses) -> None:
    """
    NoneBot connects to the account.
    """
    port = await processes.startForward()
    bot = processes.bot("nonebotprogram.py", URL=f"ws://127.0.0.1:{port}/")
    await bot.says("connected 10002")
    await converse(processes, bot)


@ensureDeferred
async def test_nonebotReverse(processes: BotProcesses) -> None:
    """
    The account connects to NoneBot, also when NoneBot is started later; messages may
    be texts with CQ codes.
    """
    port = freePort()
    daemon = await processes.start(
        f"""
[[account.reverse]]
url = "ws://127.0.0.1:{port}/onebot/v11/ws"
token-file = "token"
format = "string"
"""
    )
    await daemon.says("retrying in")
    bot = processes.bot("nonebotprogram.py", PORT=str(port))
    await bot.says("connected 10002")
    await converse(processes, bot)


@ensureDeferred
async def test_nonebotProxy(processes: BotProcesses) -> None:
    """
    NoneBot connects to an account of today's QQ, which is signed on to another
    program: here our own.
    """
    program, port = await processes.startForward(), freePort()
    account = f"""
[[account]]
kind = "onebot"
number = 10002
url = "ws://127.0.0.1:{program}/"
token-file = "token"
"""
    file = processes.folder / "proxy.toml"
    file.write_text(account + FORWARD.format(port), encoding="utf-8")
    proxy = processes.twistd("webqq-onebot", "--config", "proxy.toml")
    await proxy.says("Signed on")
    bot = processes.bot("nonebotprogram.py", URL=f"ws://127.0.0.1:{port}/")
    await bot.says("connected 10002")
    alice = await processes.alice()
    await interact(bot, alice, await processes.friend(10003, "tr0ub4dor"))


@ensureDeferred
async def test_nonebotHTTP(processes: BotProcesses) -> None:
    """
    NoneBot is told of events by signed HTTP requests, and calls over HTTP.
    """
    api = freePort()
    bot = await processes.startWith(
        "nonebotprogram.py",
        f"""
[[account.http]]
listen = "tcp:{api}:interface=127.0.0.1"
token-file = "token"

[[account.post]]
url = "http://127.0.0.1:PORT/onebot/v11/http"
secret-file = "token"
""",
        API=f"http://127.0.0.1:{api}/",
    )
    await bot.says("connected 10002")
    alice = await processes.alice()
    await alice.tell("小明", "在吗")
    await alice.shows("you said 在吗")


@ensureDeferred
async def test_aiocqhttp(processes: BotProcesses) -> None:
    """
    aiocqhttp answers by quick operations and by calls.
    """
    bot = await processes.startWith(
        "aiocqhttpprogram.py",
        """
[[account.reverse]]
url = "ws://127.0.0.1:PORT/ws/"
token-file = "token"
""",
    )
    await bot.says("meta_event.lifecycle.connect 10002")
    alice = await processes.alice()
    await alice.tell("小明", "在吗[微笑]")
    await alice.shows("quick 在吗[微笑]")
    await alice.tellGroup("猫咪", "call [x] & y")
    await alice.shows("200001: @Alice called: call [x] & y")
    hua = await processes.friend(10003, "tr0ub4dor")
    await hua.befriend(10002, "我是阿花")
    await hua.shows("PASSED_AND_ADDED")
    assert "request.friend 我是阿花" in bot.output
    await bot.says("notice.friend_add 10003")
    me = await alice.online()
    group, uin = await alice.groupAndMember("猫咪", 10002)
    sent = await me.sendGroupMessage(group.gid, "here I am")
    await alice.shows("quick here I am")
    await me.pokeMember(group.gid, uin)
    answer = await said(alice, "yes?")
    assert answer.content[:2] == (
        Reply(sent.messageId),
        Mention(Number(10001), "Alice"),
    )
    huaOnline = await hua.online()
    group, _ = await hua.groupAndMember("猫咪", 10002)
    sent = await huaOnline.sendGroupMessage(group.gid, "misbehave")
    await hua.shows("@阿花 quiet")
    await hua.shows(f"recalled {sent.messageId}")
    await hua.shows("is muted for 60 s")
    await bot.says("notice.group_ban.ban 10003")


@ensureDeferred
async def test_aiocqhttpPost(processes: BotProcesses) -> None:
    """
    aiocqhttp answers by quick operations over HTTP.
    """
    await processes.startWith(
        "aiocqhttpprogram.py",
        """
[[account.post]]
url = "http://127.0.0.1:PORT/"
secret-file = "token"
""",
    )
    alice = await processes.alice()
    await alice.tell("小明", "在吗")
    await alice.shows("quick 在吗")


@ensureDeferred
async def test_documented(processes: BotProcesses) -> None:
    """
    The files and commands of the page work as they are shown.
    """
    text = PAGE.read_text(encoding="utf-8")
    (secrets,) = re.findall(r"^\(umask.*$", text, re.M)
    assert await processes.run("/bin/sh", "-c", secrets).exits() == 0
    port = str(freePort())
    files = dict(re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)^```$", text, re.S | re.M))
    assert list(files) == ["people.toml", "onebot.toml", "bot.py", "alice.py"]
    for name, block in files.items():
        block = block.replace("8890", str(processes.port)).replace("3001", port)
        (processes.folder / name).write_text(block, encoding="utf-8")
    server, onebot, alice = re.findall(r"^(?:\w+=.*)?twistd (-n .*)$", text, re.M)
    listen = f"tcp:{processes.port}:interface=127.0.0.1"
    daemon = processes.twistd(*server.split()[2:], "--listen", listen)
    await processes.answers(processes.port, daemon)
    account = processes.twistd(*onebot.split()[2:])
    await account.says("Signed on")
    processes.run(str(PYTHON), "bot.py")
    await account.says("A bot is connected")
    friend = processes.twistd(
        *alice.split()[2:],
        "--server",
        f"http://127.0.0.1:{processes.port}",
        TXWEBQQ_PASSWORD="correct horse",
    )
    await friend.says("Bot: You said: hello")
    await friend.says("Bot, in the group: You said: hello, cats")


@ensureDeferred
async def test_documentedQuick(processes: BotProcesses) -> None:
    """
    The bot of the page that answers by quick operations works as it is told.
    """
    text = PAGE.read_text(encoding="utf-8")
    (table,) = re.findall(
        r"```toml\n[^`]*?(\[\[account.reverse.*?)^```$", text, re.S | re.M
    )
    (block,) = re.findall(r"```python\n(from aiocqhttp .*?)^```$", text, re.S | re.M)
    port = str(freePort())
    block = block.replace("8080", port).replace("green-tea", TOKEN)
    (processes.folder / "quick.py").write_text(block, encoding="utf-8")
    bot = processes.run(str(PYTHON), "quick.py")
    await processes.answers(int(port), bot)
    await processes.start(table.replace("8080", port))
    alice = await processes.alice()
    me = await alice.online()
    group, _ = await alice.groupAndMember("猫咪", 10002)
    await me.sendGroupMessage(group.gid, "tea please")
    await alice.shows("@Alice it is ready")
    sent = await me.sendGroupMessage(group.gid, "coffee")
    await alice.shows(f"recalled {sent.messageId}")


@ensureDeferred
async def test_demo(processes: BotProcesses) -> None:
    """
    C{make demo-onebot} plays its whole conversation and leaves.
    """
    script = str(ROOT / "examples/demo_onebot.py")
    demo = processes.run(sys.executable, script, "--once", "--nonebot", str(PYTHON))
    # It gives up by itself after a minute, and shows its logs.
    assert await demo.exits(2 * PATIENCE) == 0, demo.output
    for line in (
        "echo.py, the bot of the README, has signed on to Echo.",
        "is connected to account 10003.",
        "Echo -> Alice: Hello [微笑]",
        "Guest -> Alice: You said: Hello",
        "Guest -> Teahouse, as a reply to Alice: @Alice Is the tea ready? It is",
        "Guest -> Teahouse: I have read it: Pour it away",
        "All processes have ended.",
    ):
        assert line in demo.output
