"""
A bot of NoneBot 2, as one writes it for today's QQ. It connects to C{URL}.
"""

import os
import sys

import nonebot
from nonebot import on_message, on_notice
from nonebot.adapters.onebot.v11 import (
    Adapter,
    Bot,
    GroupMessageEvent,
    GroupRecallNoticeEvent,
    MessageEvent,
    MessageSegment,
)
from nonebot.log import logger, logger_id

# The lines of the demo are the transcript.
logger.remove(logger_id)
logger.add(sys.stderr, level="ERROR")
nonebot.init(
    driver="~websockets",
    onebot_ws_urls={os.environ["URL"]},
    onebot_access_token=os.environ["TOKEN"],
)
driver = nonebot.get_driver()
driver.register_adapter(Adapter)


@driver.on_bot_connect
async def connected(bot: Bot) -> None:
    """
    Tell that the account is there.
    """
    print(
        f"NoneBot {nonebot.__version__} is connected to account {bot.self_id}.",
        flush=True,
    )


async def isToUs(event: MessageEvent) -> bool:
    """
    Check that a message is private, or mentions the bot.
    """
    isMentioned: bool = event.is_tome()
    return isMentioned


@on_message(rule=isToUs).handle()
async def answer(bot: Bot, event: MessageEvent) -> None:
    """
    Answer a question; in a group as a reply, with a mention.
    """
    said = event.get_plaintext().strip()
    if isinstance(event, GroupMessageEvent):
        message = MessageSegment.reply(event.message_id)
        message += MessageSegment.at(event.user_id)
        await bot.send(event, message + MessageSegment.text(f" {said} It is"))
    else:
        await bot.send(event, f"You said: {said}")


@on_notice().handle()
async def recalled(bot: Bot, event: GroupRecallNoticeEvent) -> None:
    """
    Tell of a recalled message, which the bot still knows.
    """
    message = await bot.get_msg(message_id=event.message_id)
    await bot.send(event, f"I have read it: {message['raw_message']}")


nonebot.run()
