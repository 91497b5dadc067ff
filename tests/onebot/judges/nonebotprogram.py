"""
A bot of NoneBot 2, as a program. It connects to C{URL}, or is connected to at
C{PORT}; it writes the classes of its events, answers messages, performs the calls
that messages name, and agrees to requests. Notices of groups it matches by their
classes.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import nonebot
from nonebot import on_message, on_notice, on_request
from nonebot.adapters.onebot.v11 import (
    ActionFailed,
    Adapter,
    Bot,
    GroupBanNoticeEvent,
    GroupRecallNoticeEvent,
    GroupUploadNoticeEvent,
    Message,
    MessageEvent,
    MessageSegment,
    NoticeEvent,
    PokeNotifyEvent,
    RequestEvent,
)

url, port = os.environ.get("URL"), int(os.environ.get("PORT", "8080"))
settings: dict[str, Any] = {"onebot_ws_urls": {url}} if url else {"port": port}
if api := os.environ.get("API"):
    settings["onebot_api_roots"] = {"10002": api}
nonebot.init(
    driver="~websockets" if url else "~fastapi+~httpx",
    host="127.0.0.1",
    onebot_access_token="oolong",
    onebot_secret="oolong",
    **settings,
)
driver = nonebot.get_driver()
driver.register_adapter(Adapter)


def report(*words: object) -> None:
    """
    Write a line.
    """
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


@driver.on_bot_connect
async def connected(bot: Bot) -> None:
    """
    Write that the account is there.
    """
    report("connected", bot.self_id)


@on_message().handle()
async def handleMessage(bot: Bot, event: MessageEvent) -> None:
    """
    Perform the call C{call NAME JSON}, in which C{$this} is the id of the message;
    answer C{refer} by a reply with a mention; or say the same.
    """
    if event.reply is not None:
        report("a reply to", event.reply.message_id, event.reply.message)
    report(type(event).__name__, event.get_session_id(), event.is_tome())
    text = event.get_plaintext().strip()
    if text == "refer":
        reply = MessageSegment.reply(event.message_id)
        mention = MessageSegment.at(event.user_id)
        await bot.send(event, reply + mention + MessageSegment.text(" here"))
        return
    if not text.startswith("call "):
        echo = Message([MessageSegment.text("you said "), *event.message])
        await bot.send(event, echo)
        return
    _, action, params = text.split(" ", 2)
    try:
        given = json.loads(params.replace("$this", str(event.message_id)))
        data = await bot.call_api(action, **given)
    except ActionFailed as e:
        data = e.info["retcode"]
    await bot.send(event, MessageSegment.text(f"{action}: {json.dumps(data)}"))


@on_notice().handle()
async def handleNotice(event: NoticeEvent) -> None:
    """
    Write the class.
    """
    report(type(event).__name__, event.get_event_name())


@on_notice().handle()
async def handleRecall(event: GroupRecallNoticeEvent) -> None:
    """
    Write the recall of a message.
    """
    report("recall", event.group_id, event.user_id, event.operator_id)


@on_notice().handle()
async def handleBan(event: GroupBanNoticeEvent) -> None:
    """
    Write the mute of a member.
    """
    report("mute", event.sub_type, event.user_id, event.operator_id, event.duration)


@on_notice().handle()
async def handleFile(bot: Bot, event: GroupUploadNoticeEvent) -> None:
    """
    Write the first characters of a file, and share it once more.
    """
    file = await bot.get_group_file_url(
        group_id=event.group_id, file_id=event.file.id, busid=event.file.busid
    )
    report("file", event.user_id, event.file.name, event.file.size, file["url"][:16])
    again = {"file": file["url"], "name": "again.txt"}
    await bot.upload_group_file(group_id=event.group_id, **again)


@on_notice().handle()
async def handlePoke(event: PokeNotifyEvent) -> None:
    """
    Write a poke.
    """
    report("poke", event.group_id, event.user_id, event.target_id, event.is_tome())


@on_request().handle()
async def handleRequest(bot: Bot, event: RequestEvent) -> None:
    """
    Agree.
    """
    report(type(event).__name__, event.comment)
    await event.approve(bot)


nonebot.run()
