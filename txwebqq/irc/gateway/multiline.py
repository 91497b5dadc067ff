"""
Incoming C{draft/multiline} batches: one message in several lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.irc.protocol.line import Line

MULTILINE, MULTILINE_CONCAT = "draft/multiline", "draft/multiline-concat"

MAX_BYTES = 8192
"""Maximum length of a message in a batch, in bytes."""

MAX_LINES = 100
"""Maximum number of lines in a batch."""


@dataclass(slots=True)
class OpenBatch:
    """
    A multiline batch that the client has begun and not yet ended.

    @ivar label: the label of the line that began it, which the answer to the
        whole batch has.
    @ivar msgid: the msgid of the message to which the batch is a reply, C{""} for
        none.
    @ivar error: the first error in it, as the parameters of a standard reply;
        empty if there was none.
    """

    reference: str
    target: str
    label: str
    msgid: str = ""
    command: str = ""
    text: str = ""
    lineCount: int = 0
    error: tuple[str, ...] = ()

    def add(self, line: Line) -> None:
        """
        Append a line of the batch. No effect after an error.
        """
        if self.error:
            return
        if line.command not in ("PRIVMSG", "NOTICE") or len(line.params) < 2:
            self.error = ("MULTILINE_INVALID", "Only PRIVMSG and NOTICE with a text")
            return
        target, text = line.params[:2]
        if target != self.target:
            reason = "All lines of a batch have the same target"
            self.error = ("MULTILINE_INVALID_TARGET", self.target, target, reason)
            return
        isNewLine = self.lineCount and MULTILINE_CONCAT not in line.tags
        self.text += "\n" + text if isNewLine else text
        self.command = line.command
        self.lineCount += 1
        if self.lineCount > MAX_LINES:
            self.error = ("MULTILINE_MAX_LINES", str(MAX_LINES), "Too many lines")
        elif len(self.text.encode()) > MAX_BYTES:
            self.error = ("MULTILINE_MAX_BYTES", str(MAX_BYTES), "Too long")
