"""
The kinds of input.
"""

from __future__ import annotations

from tests.fuzz import irclines, onebot, replies, serverrequests, websockets
from tests.fuzz.campaign import Kind

KINDS = (
    Kind("server-requests", serverrequests.make, serverrequests.ServerTarget, 1600),
    Kind("replies", replies.makeReply, replies.ReplyTarget, 4000),
    Kind("polls", replies.makePolls, replies.PollTarget, 200),
    Kind("gateway-lines", irclines.makeClient, irclines.GatewayTarget, 800),
    Kind("network-lines", irclines.makeNetwork, irclines.RelayTarget, 400),
    Kind("websocket-frames", websockets.make, websockets.WebSocketTarget, 1200),
    Kind("bot-calls", onebot.makeCall, onebot.BotTarget, 400),
    Kind("bot-requests", onebot.makeCallRequest, onebot.CallServerTarget, 400),
    Kind("program-events", onebot.makeEvent, onebot.ProgramTarget, 1200),
    Kind("operator-requests", onebot.makePageRequest, onebot.OperatorTarget, 1200),
)
