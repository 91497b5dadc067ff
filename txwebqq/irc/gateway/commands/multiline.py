"""
Messages of several lines, as IRC clients write them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from txwebqq.irc.gateway.commands.messages import (
    MAX_BYTES,
    MAX_LINES,
    MULTILINE,
    MessageCommands,
)
from txwebqq.irc.gateway.session import Answer
from txwebqq.irc.protocol.line import Line

_CONCAT = f"{MULTILINE}-concat"


@dataclass(slots=True)
class _OpenBatch:
    """
    A message that is not complete yet.

    @ivar label: of its beginning.
    @ivar refused: what is wrong with it, for a standard reply.
    """

    reference: str
    target: str
    label: str
    command: str = ""
    text: str = ""
    lines: int = 0
    refused: tuple[str, ...] = field(default=())


class MultilineBatches(MessageCommands):
    """
    BATCH from clients: one message of many lines.
    """

    _openBatch: _OpenBatch | None = None

    def _labelOf(self, line: Line) -> str:
        """
        The label of what a line answers: a batch has that of its beginning.
        """
        batch = self._openBatch
        isEnding = line.command == "BATCH" and line.params[:1] != ()
        if batch is not None and isEnding and line.params[0] == f"-{batch.reference}":
            return batch.label
        return line.tags.get("label", "")

    def _isPart(self, line: Line) -> bool:
        return self._has(MULTILINE) and "batch" in line.tags

    def _gathered(self, line: Line) -> Answer:
        batch = self._openBatch
        if batch is None or line.tags["batch"] != batch.reference:
            return [
                self.standardReply(
                    "BATCH", "MULTILINE_INVALID", "No such batch is open"
                )
            ]
        if not batch.refused:
            self._add(batch, line)
        # The answer comes with the end of the batch.
        return None

    def _add(self, batch: _OpenBatch, line: Line) -> None:
        if line.command not in ("PRIVMSG", "NOTICE") or len(line.params) < 2:
            batch.refused = ("MULTILINE_INVALID", "That is nothing to say")
            return
        target, text = line.params[:2]
        if target != batch.target:
            batch.refused = (
                "MULTILINE_INVALID_TARGET",
                batch.target,
                target,
                "A message has one target",
            )
            return
        isNew = batch.lines and _CONCAT not in line.tags
        batch.text += "\n" + text if isNew else text
        batch.command = line.command
        batch.lines += 1
        if batch.lines > MAX_LINES:
            batch.refused = ("MULTILINE_MAX_LINES", str(MAX_LINES), "Too many lines")
        elif len(batch.text.encode()) > MAX_BYTES:
            batch.refused = ("MULTILINE_MAX_BYTES", str(MAX_BYTES), "Too long")

    def _irc_BATCH(self, line: Line) -> Answer:
        word = line.params[0] if line.params else ""
        if word.startswith("+"):
            return self._opened(word[1:], line)
        batch, self._openBatch = self._openBatch, None
        if batch is None or word != f"-{batch.reference}":
            return [
                self.standardReply(
                    "BATCH", "MULTILINE_INVALID", "No such batch is open"
                )
            ]
        if not batch.refused and not batch.text.strip():
            batch.refused = ("MULTILINE_INVALID", "There is no text in it")
        if batch.refused:
            return [self.standardReply("BATCH", *batch.refused)]
        return self._uttered(batch.command, batch.target, batch.text)

    def _opened(self, reference: str, line: Line) -> Answer:
        kind, target = (*line.params[1:3], "", "")[:2]
        if kind != MULTILINE or not target or not self._has(MULTILINE):
            return [
                self.standardReply(
                    "BATCH", "MULTILINE_INVALID", "No batch of that kind"
                )
            ]
        if self._openBatch is not None:
            self._openBatch = None
            return [
                self.standardReply("BATCH", "MULTILINE_INVALID", "One is open already")
            ]
        self._openBatch = _OpenBatch(reference, target, line.tags.get("label", ""))
        return None
