"""
The kinds of input.
"""

from __future__ import annotations

from tests.fuzz import irclines, onebot, replies, serverrequests, websockets
from tests.fuzz.campaign import Kind

KINDS = (
    Kind("server-requests", serverrequests.make, serverrequests.ServerTarget, 500),
    Kind("replies", replies.makeReply, replies.ReplyTarget, 1000),
    Kind("polls", replies.makePolls, replies.PollTarget, 80),
    Kind("gateway-lines", irclines.makeClient, irclines.GatewayTarget, 250),
    Kind("network-lines", irclines.makeNetwork, irclines.RelayTarget, 150),
    Kind("websocket-frames", websockets.make, websockets.WebSocketTarget, 400),
    Kind("bot-calls", onebot.makeCall, onebot.BotTarget, 150),
    Kind("bot-requests", onebot.makeCallRequest, onebot.CallServerTarget, 150),
    Kind("program-events", onebot.makeEvent, onebot.ProgramTarget, 400),
    Kind("operator-requests", onebot.makePageRequest, onebot.OperatorTarget, 400),
)
