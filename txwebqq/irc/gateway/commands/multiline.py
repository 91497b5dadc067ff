"""
Messages of several lines: C{BATCH} of the type C{draft/multiline}.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.irc.gateway.commands.messages import sendMessage
from txwebqq.irc.gateway.multiline import MULTILINE, OpenBatch
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.protocol.clienttags import repliedTo
from txwebqq.irc.protocol.line import Line


def irc_BATCH(session: ClientSession, line: Line) -> Iterable[Line] | None:
    """
    C{BATCH +<reference> draft/multiline <target>} begins a message, and
    C{BATCH -<reference>} sends it.
    """
    parameter = line.params[0] if line.params else ""
    if parameter.startswith("+"):
        return _begin(session, parameter[1:], line)
    batch, session.openBatch = session.openBatch, None
    if batch is None or parameter != f"-{batch.reference}":
        return _invalid(session, "No such batch is open")
    if not batch.error and not batch.text.strip():
        batch.error = ("MULTILINE_INVALID", "No text to send")
    if batch.error:
        failure = session.builder.failure("BATCH", *batch.error)
        session.answer("BATCH", lambda: [failure], batch.label)
    else:
        answer = sendMessage(
            session, batch.command, batch.target, batch.text, batch.msgid
        )
        session.answer("BATCH", lambda: answer, batch.label)
    return None


def _begin(session: ClientSession, reference: str, line: Line) -> Iterable[Line] | None:
    kind, target = (*line.params[1:3], "", "")[:2]
    if kind != MULTILINE or not target or not session.builder.has(MULTILINE):
        return _invalid(session, "No such batch type")
    if session.openBatch is not None:
        session.openBatch = None
        return _invalid(session, "Another batch is already open")
    session.openBatch = OpenBatch(
        reference, target, line.tags.get("label", ""), repliedTo(line.tags)
    )
    # The answer comes with the end of the batch.
    return None


def addLine(session: ClientSession, line: Line) -> Iterable[Line] | None:
    """
    Add a line with a C{batch} tag to the open batch.
    """
    batch = session.openBatch
    if batch is None or line.tags["batch"] != batch.reference:
        return _invalid(session, "No such batch is open")
    batch.add(line)
    return None


def _invalid(session: ClientSession, reason: str) -> Iterable[Line]:
    return [session.builder.failure("BATCH", "MULTILINE_INVALID", reason)]
