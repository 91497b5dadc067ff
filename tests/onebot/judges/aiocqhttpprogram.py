"""
A bot of aiocqhttp, as a program that is connected to at C{PORT}. It answers by quick
operations, or by calls when a message begins with C{call}.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from aiocqhttp import CQHttp, Event, MessageSegment

said: list[int] = []
"""Ids of the messages."""

bot = CQHttp(access_token="oolong", secret="oolong")


def report(*words: object) -> None:
    """
    Write a line.
    """
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


@bot.on_meta_event
async def handleMeta(event: Event) -> None:
    """
    Write that the account is there.
    """
    report(event.name, event.self_id)


@bot.on_message
async def handleMessage(event: Event) -> Any:
    """
    Say the same.
    """
    report(event.name, event.message)
    said.append(event.message_id)
    if event.raw_message.startswith("call"):
        found = await bot.get_msg(message_id=event.message_id, self_id=event.self_id)
        await bot.send(event, f"called: {found['raw_message']}", at_sender=True)
        return None
    if event.raw_message == "misbehave":
        return {"delete": True, "ban": True, "ban_duration": 60, "reply": "quiet"}
    return {"reply": f"quick {event.raw_message}", "at_sender": False}


@bot.on_request
async def handleRequest(event: Event) -> Any:
    """
    Agree.
    """
    report(event.name, event.comment)
    return {"approve": True}


@bot.on_notice
async def handleNotice(event: Event) -> None:
    """
    Write the name.
    """
    report(event.name, event.user_id)
    if event.name == "notice.notify.poke" and event.group_id:
        message = MessageSegment.reply(said[-1]) + MessageSegment.at(event.user_id)
        await bot.send(event, message + MessageSegment.text(" yes?"))


bot.run(host="127.0.0.1", port=int(os.environ["PORT"]))
