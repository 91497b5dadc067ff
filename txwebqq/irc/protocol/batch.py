"""
IRCv3 batches and labeled responses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from txwebqq.irc.protocol.line import Line

_NO_TAGS: Mapping[str, str] = {}


def batch(
    reference: str,
    kind: str,
    params: Sequence[str],
    lines: Sequence[Line],
    source: str,
    tags: Mapping[str, str] = _NO_TAGS,
) -> list[Line]:
    """
    Put lines in a batch; batches among the lines are nested in it.

    @param reference: the batch reference; no other open batch may have it.
    @param kind: the batch type.
    @param tags: the tags of the line that opens the batch.
    """
    return [
        Line("BATCH", (f"+{reference}", kind, *params), source, tags),
        *(_tagged(line, "batch", reference) for line in lines),
        Line("BATCH", (f"-{reference}",), source),
    ]


def labeledResponse(
    label: str, lines: Sequence[Line], reference: str, source: str
) -> list[Line]:
    """
    Label the response to a command: no lines become an C{ACK}, several lines a
    batch.

    @param label: the label of the command.
    @param reference: the reference of that batch.
    """
    if not lines:
        return [Line("ACK", (), source, {"label": label})]
    if len(lines) == 1 or _isBatch(lines):
        return [_tagged(lines[0], "label", label), *lines[1:]]
    return batch(reference, "labeled-response", (), lines, source, {"label": label})


def _tagged(line: Line, key: str, value: str) -> Line:
    if key in line.tags:
        return line
    return replace(line, tags={key: value, **line.tags})


def _isBatch(lines: Sequence[Line]) -> bool:
    first, last = lines[0], lines[-1]
    return first.command == last.command == "BATCH" and first.params[0].removeprefix(
        "+"
    ) == last.params[0].removeprefix("-")
