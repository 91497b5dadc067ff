"""
Messages of several lines, as IRC clients write them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from txwebqq.irc.gateway.commands.messages import MAX_BYTES, MAX_LINES, MULTILINE, Words
from txwebqq.irc.gateway.session import Answer
from txwebqq.irc.protocol.line import Line

_CONCAT = f"{MULTILINE}-concat"


@dataclass(slots=True)
class _Draft:
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


class Multiline(Words):
    """
    BATCH from clients: one message of many lines.
    """

    _draft: _Draft | None = None

    def _labelOf(self, line: Line) -> str:
        """
        The label of what a line answers: a batch has that of its beginning.
        """
        draft = self._draft
        isEnding = line.command == "BATCH" and line.params[:1] != ()
        if draft is not None and isEnding and line.params[0] == f"-{draft.reference}":
            return draft.label
        return line.tags.get("label", "")

    def _isPart(self, line: Line) -> bool:
        return self._has(MULTILINE) and "batch" in line.tags

    def _gathered(self, line: Line) -> Answer:
        draft = self._draft
        if draft is None or line.tags["batch"] != draft.reference:
            return [self._fail("BATCH", "MULTILINE_INVALID", "No such batch is open")]
        if not draft.refused:
            self._add(draft, line)
        # The answer comes with the end of the batch.
        return None

    def _add(self, draft: _Draft, line: Line) -> None:
        if line.command not in ("PRIVMSG", "NOTICE") or len(line.params) < 2:
            draft.refused = ("MULTILINE_INVALID", "That is nothing to say")
            return
        target, text = line.params[:2]
        if target != draft.target:
            draft.refused = (
                "MULTILINE_INVALID_TARGET",
                draft.target,
                target,
                "A message has one target",
            )
            return
        isNew = draft.lines and _CONCAT not in line.tags
        draft.text += "\n" + text if isNew else text
        draft.command = line.command
        draft.lines += 1
        if draft.lines > MAX_LINES:
            draft.refused = ("MULTILINE_MAX_LINES", str(MAX_LINES), "Too many lines")
        elif len(draft.text.encode()) > MAX_BYTES:
            draft.refused = ("MULTILINE_MAX_BYTES", str(MAX_BYTES), "Too long")

    def _irc_BATCH(self, line: Line) -> Answer:
        word = line.params[0] if line.params else ""
        if word.startswith("+"):
            return self._opened(word[1:], line)
        draft, self._draft = self._draft, None
        if draft is None or word != f"-{draft.reference}":
            return [self._fail("BATCH", "MULTILINE_INVALID", "No such batch is open")]
        if not draft.refused and not draft.text.strip():
            draft.refused = ("MULTILINE_INVALID", "There is no text in it")
        if draft.refused:
            return [self._fail("BATCH", *draft.refused)]
        return self._uttered(draft.command, draft.target, draft.text)

    def _opened(self, reference: str, line: Line) -> Answer:
        kind, target = (*line.params[1:3], "", "")[:2]
        if kind != MULTILINE or not target or not self._has(MULTILINE):
            return [self._fail("BATCH", "MULTILINE_INVALID", "No batch of that kind")]
        if self._draft is not None:
            self._draft = None
            return [self._fail("BATCH", "MULTILINE_INVALID", "One is open already")]
        self._draft = _Draft(reference, target, line.tags.get("label", ""))
        return None
