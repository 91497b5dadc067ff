"""
A bot of NoneBot 2, as a program. It connects to C{URL}, or is connected to at
C{PORT}; it writes the classes of its events, answers messages, performs the calls
that messages name, and agrees to requests.
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
    Message,
    MessageEvent,
    MessageSegment,
    NoticeEvent,
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
    Perform the call C{call NAME JSON}, or say the same.
    """
    report(type(event).__name__, event.get_session_id(), event.is_tome())
    text = event.get_plaintext().strip()
    if not text.startswith("call "):
        echo = Message([MessageSegment.text("you said "), *event.message])
        await bot.send(event, echo)
        return
    _, action, params = text.split(" ", 2)
    try:
        data = await bot.call_api(action, **json.loads(params))
    except ActionFailed as e:
        data = e.info["retcode"]
    await bot.send(event, MessageSegment.text(f"{action}: {json.dumps(data)}"))


@on_notice().handle()
async def handleNotice(event: NoticeEvent) -> None:
    """
    Write the class.
    """
    report(type(event).__name__, event.get_event_name())


@on_request().handle()
async def handleRequest(bot: Bot, event: RequestEvent) -> None:
    """
    Agree.
    """
    report(type(event).__name__, event.comment)
    await event.approve(bot)


nonebot.run()
