"""
C{twistd webqq-onebot} with bots of Node.js: Koishi and node-napcat-ts, in a folder of
their own that C{make test} makes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from tests.endtoend.daemons import Daemon
from tests.irc.programs import missing
from tests.onebot.botprocesses import NODE_MODULES, BotProcesses, said
from txwebqq.model import Mention, Number, Reply, Text


@pytest.fixture
def installed() -> None:
    """
    Skip a test whose bot is not installed.
    """
    if not NODE_MODULES.exists():
        missing("Koishi")


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
    Have Alice converse with a bot of Koishi.
    """
    alice = await processes.alice()
    hua = await processes.friend(10003, "tr0ub4dor")
    me = await alice.online()
    await alice.tell("小明", "在吗")
    await alice.shows("you said 在吗")
    await bot.says("message private:10001 10001 在吗")
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
    await said(alice, "you said why")
    await bot.says("quote <at id=")
    await me.recallGroupMessage(group.gid, sent.messageId)
    await bot.says("deleted 200001 10001 10001")
    sent = await me.sendGroupMessage(group.gid, "erase")
    await alice.shows(f"recalled {sent.messageId}")
    await me.sendGroupMessage(group.gid, "mute 10003")
    await hua.shows("is muted for 60 s")
    await bot.says("member ban 10003 10002")
    await me.pokeMember(group.gid, uin)
    await bot.says("notice poke 200001 10001")
    for word, shown in (
        ("past", "past true"),
        ("members", "members 10001,10002,10003"),
    ):
        await me.sendGroupMessage(group.gid, word)
        await said(alice, shown)
    await hua.befriend(10002, "我是阿花")
    await bot.says("request 我是阿花")
    await bot.says("friend 10003")


@ensureDeferred
async def test_koishiForward(processes: BotProcesses) -> None:
    """
    Koishi connects to the account.
    """
    port = await processes.startForward()
    bot = processes.bot("koishiprogram.js", URL=f"ws://127.0.0.1:{port}/")
    await bot.says("online 10002 小明")
    await converse(processes, bot)


@ensureDeferred
async def test_koishiReverse(processes: BotProcesses) -> None:
    """
    The account connects to Koishi.
    """
    bot = await processes.startWith(
        "koishiprogram.js",
        """
[[account.reverse]]
url = "ws://127.0.0.1:PORT/onebot"
token-file = "token"
format = "string"
""",
    )
    await bot.says("online 10002 小明")
    await converse(processes, bot)


@ensureDeferred
async def test_napcat(processes: BotProcesses) -> None:
    """
    node-napcat-ts, which knows the calls of NapCatQQ, connects to the account.
    """
    port = await processes.startForward()
    bot = processes.bot("napcatprogram.mjs", URL=f"ws://127.0.0.1:{port}")
    await bot.says("lifecycle 10002")
    alice = await processes.alice()
    me = await alice.online()
    await alice.tell("小明", "在吗")
    await alice.shows("you said 在吗")
    group, uin = await alice.groupAndMember("猫咪", 10002)
    await me.sendGroupMessage(group.gid, "refer")
    await said(alice, "@Alice here")
    sent = await me.sendGroupMessage(group.gid, "erase")
    await alice.shows(f"recalled {sent.messageId}")
    for word, shown in (("poke", "pokes"), ("like", "reacts")):
        await me.sendGroupMessage(group.gid, word)
        await alice.shows(shown)
    await me.pokeMember(group.gid, uin)
    await bot.says("notify poke 10001 10002")
    await me.sendGroupMessage(group.gid, "mute")
    await alice.shows("is muted for 2147483647 s")
    await bot.says("group_ban ban 0")
