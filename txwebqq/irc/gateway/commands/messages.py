"""
Sending messages: C{PRIVMSG}, C{NOTICE} and C{TAGMSG}.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextlib import suppress

from twisted.internet.defer import Deferred

from txwebqq.errors import WebQQError
from txwebqq.irc.gateway.bot.bot import answer
from txwebqq.irc.gateway.interaction.reactions import (
    parseReaction,
    reactionText,
)
from txwebqq.irc.gateway.session import Answer, ClientSession
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.clienttags import REACT, UNREACT, repliedTo
from txwebqq.irc.protocol.formatting import fontOf, parseAction, stripFormatting
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.content import ACTION_PREFIX, contentToText, textToContent
from txwebqq.irc.targets import SERVICE, Target, TargetKind
from txwebqq.model import Uncertain, outcomeOf

SHAKE = "\x01SHAKE"
"""The CTCP request that shakes a friend's window, without its end."""

MAX_TARGETS = 4
"""Maximum number of targets of one message."""


def irc_PRIVMSG(session: ClientSession, line: Line) -> Answer:
    """
    C{PRIVMSG <target>{,<target>} <text>}
    """
    target, text = (*line.params[:2], "", "")[:2]
    return sendMessage(session, "PRIVMSG", target, text, repliedTo(line.tags))


def irc_NOTICE(session: ClientSession, line: Line) -> Answer:
    """
    C{NOTICE <target>{,<target>} <text>}: as C{PRIVMSG}, but never answered with
    a numeric.
    """
    target, text = (*line.params[:2], "", "")[:2]
    return sendMessage(session, "NOTICE", target, text, repliedTo(line.tags))


async def irc_TAGMSG(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{@+typing=active TAGMSG <nick>} tells a friend that the user is typing;
    C{@+draft/react=<reaction>;+reply=<msgid> TAGMSG <channel>} reacts to a message,
    and C{+draft/unreact} takes a reaction back.
    """
    name = line.params[0] if line.params else ""
    target = session.user.directory.targetNamed(name)
    for tag, isSet in ((REACT, True), (UNREACT, False)):
        if tag in line.tags and target is not None:
            msgid = repliedTo(line.tags)
            return await _react(session, name, target, msgid, line.tags[tag], isSet)
    isTyping = line.tags.get("+typing") == "active"
    if isTyping and target is not None and target.kind is TargetKind.CONTACT:
        # A typing notification that fails is not worth a reply.
        with suppress(WebQQError):
            await session.user.conversations.sendTyping(target)
    return ()


async def _react(
    session: ClientSession,
    name: str,
    target: Target,
    msgid: str,
    value: str,
    isSet: bool,
) -> Iterable[Line]:
    user = session.user

    def failed(text: str) -> list[Line]:
        return [session.builder.failure("TAGMSG", "NOT_DONE", name, text)]

    message = user.history.references.withMsgid(user.name, target, msgid)
    account = None if message is None else user.accounts.get(message.account)
    if message is None or account is None or not message.id:
        return failed("QQ does not know the message to which you react")
    face = parseReaction(value)
    if face is None:
        return failed(f"QQ has no such reaction: {value}")
    try:
        await account.actions.react(target, message.id, face, isSet)
    except WebQQError as e:
        return failed(f"Cannot react: {e}")
    text, number = reactionText(face), account.number
    user.interactions.react(message, number, text, isSet, session)
    if not session.builder.has("echo-message"):
        return ()
    tag = REACT if isSet else UNREACT
    return [session.renderer.reaction(message, number, user.name, tag, text)]


def sendMessage(
    session: ClientSession, command: str, targets: str, text: str, msgid: str = ""
) -> Answer:
    """
    Send a text to one or several targets.

    @param command: C{PRIVMSG} or C{NOTICE}.
    @param targets: their names, separated by commas.
    @param msgid: the msgid of the message to which this one is a reply, C{""} for
        none.
    """
    isPrivmsg = command == "PRIVMSG"
    if not targets:
        reply = session.builder.numeric("411", f"No recipient given ({command})")
        return [reply] if isPrivmsg else ()
    action = parseAction(text)
    if _isBlank(text if action is None else action):
        return [session.builder.numeric("412", "No text to send")] if isPrivmsg else ()
    isShake = isPrivmsg and text.rstrip("\x01") == SHAKE
    if text.startswith("\x01") and action is None and not isShake:
        # Other CTCP requests have no meaning on QQ.
        return ()
    return Deferred.fromCoroutine(_sendToAll(session, command, targets, text, msgid))


def _isBlank(text: str) -> bool:
    # Formatting codes and spaces alone are no text on QQ; nearly all texts have
    # no codes.
    shown = text if text.isprintable() else contentToText(textToContent(text))
    return not shown.strip()


async def _sendToAll(
    session: ClientSession, command: str, names: str, text: str, msgid: str
) -> list[Line]:
    # Start all before the first is awaited, so that each is in the queue of
    # its account before what the client sends next.
    sent: list[Awaitable[list[Line]] | Line] = []
    builder = session.builder
    named: dict[str, str] = {}
    for name in names.split(","):
        # Each target gets the message once, however often it is named.
        named.setdefault(casefold(name), name)
    isOne = len(named) == 1
    for count, name in enumerate(named.values()):
        target = session.user.directory.targetNamed(name)
        if builder.isOwnNick(name):
            sent.extend(_toOneself(session, command, text))
        elif count >= MAX_TARGETS:
            sent.append(builder.numeric("407", name, "Too many recipients"))
        elif target is None:
            sent.append(builder.numeric("401", name, "No such nick/channel"))
        else:
            sending = _send(session, command, name, target, text, msgid)
            # One alone needs no Deferred of its own, which costs as much as a lock.
            sent.append(sending if isOne else Deferred.fromCoroutine(sending))
    replies: list[Line] = []
    for each in sent:
        replies += [each] if isinstance(each, Line) else await each
    if command == "NOTICE":
        # RFC 2812, 3.3.2: a notice is never answered with an error.
        return [line for line in replies if not line.command.isdigit()]
    return replies


def _toOneself(session: ClientSession, command: str, text: str) -> list[Line]:
    """
    Return a message that a client has sent to its own nick, which clients do to
    measure the delay. It is neither sent to QQ nor stored.
    """
    return _ownMessage(session, session.builder.nick, command, text)


def _ownMessage(
    session: ClientSession, name: str, command: str, text: str
) -> list[Line]:
    """
    Return a message of the client that QQ is not sent.
    """
    [number, *_], conversations = session.user.accounts, session.user.conversations
    message = conversations.newMessage(
        SERVICE, number, number, session.user.name, text, command=command
    )
    return session.renderer.renderTo(name, message)


async def _send(
    session: ClientSession,
    command: str,
    name: str,
    target: Target,
    text: str,
    msgid: str,
) -> list[Line]:
    user, conversations = session.user, session.user.conversations
    try:
        if text.rstrip("\x01") == SHAKE:
            await conversations.shake(target)
            return []
        action = parseAction(text)
        words = stripFormatting(text if action is None else f"{ACTION_PREFIX}{action}")
        if target == SERVICE:
            if command != "PRIVMSG":
                return []
            isEchoed = session.builder.has("echo-message")
            echo = _ownMessage(session, name, command, words) if isEchoed else []
            return echo + await botReplies(session, words)
        font = fontOf(text if action is None else action)
        reply = None
        if msgid:
            reply = user.history.references.withMsgid(user.name, target, msgid)
        content = user.interactions.contentFor(target, words)
        sent = await conversations.send(
            target, words, content, session, command, font, reply
        )
    except WebQQError as e:
        isChannel = target.kind in (TargetKind.GROUP, TargetKind.DISCUSSION)
        reason = f"Cannot send to {'channel' if isChannel else 'nick'}: {e}"
        if isinstance(outcomeOf(e), Uncertain):
            reason = f"{reason}; it may have been delivered"
        return [session.builder.numeric("404", name, reason)]
    if sent is not None and session.builder.has("echo-message"):
        return session.renderer.renderTo(name, sent)
    return []


async def botReplies(session: ClientSession, command: str) -> list[Line]:
    """
    Perform a command of the bot, and render its answer for the client.
    """
    replies: list[Line] = []
    async for text in answer(session.user, command):
        for message in session.user.conversations.botMessages(text):
            replies += session.renderer.render(message)
    return replies
