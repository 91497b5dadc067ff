"""
Recalling messages: C{REDACT} (IRCv3 C{draft/message-redaction}).
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.errors import RequestRefused, WebQQError
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.targets import SERVICE


async def irc_REDACT(session: ClientSession, line: Line) -> Iterable[Line]:
    """
    C{REDACT <target> <msgid> [<reason>]}: recalls a message on QQ. QQ is not told the
    reason.
    """
    name, msgid, reason = (*line.params[:3], "")[:3]
    user = session.user

    def refused(code: str, text: str) -> list[Line]:
        return [session.builder.failure("REDACT", code, name, msgid, text)]

    target = user.directory.targetNamed(name)
    if target is None or target == SERVICE:
        text = "No such nick/channel"
        return [session.builder.failure("REDACT", "INVALID_TARGET", name, text)]
    message = user.history.references.withMsgid(user.name, target, msgid)
    if message is None or message.command not in ("PRIVMSG", "NOTICE"):
        return refused("UNKNOWN_MSGID", "This message does not exist or is too old")
    account = user.accounts.get(message.account)
    if account is None or not message.id:
        return refused("REDACT_FORBIDDEN", "QQ does not know this message")
    serial, reasons = message.serial, user.interactions.reasons
    reasons[serial] = reason
    try:
        for messageId in (*message.earlier, message.id):
            await account.actions.recall(target, messageId)
        # All clients are shown it, this one as well.
        user.interactions.recall(serial, account, account.number)
    except RequestRefused as e:
        return refused("REDACT_FORBIDDEN", f"QQ refuses: {e}")
    except WebQQError as e:
        return refused("NOT_DONE", str(e))
    finally:
        reasons.pop(serial, None)
    return []
