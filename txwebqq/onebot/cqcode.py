"""
CQ codes: messages of OneBot as text, such as C{hello[CQ:face,id=14]}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_CODE = re.compile(r"\[CQ:([A-Za-z0-9_.-]+)((?:,[^\[\],=]+=[^\[\],]*)*)\]")


def escapeText(text: str) -> str:
    """
    Escape a text that stands outside codes.
    """
    return text.replace("&", "&amp;").replace("[", "&#91;").replace("]", "&#93;")


def escapeValue(text: str) -> str:
    """
    Escape a value within a code.
    """
    return escapeText(text).replace(",", "&#44;")


def unescape(text: str) -> str:
    """
    Undo either of the escapes.
    """
    for escape, character in (("&#44;", ","), ("&#91;", "["), ("&#93;", "]")):
        text = text.replace(escape, character)
    return text.replace("&amp;", "&")


def parseCQ(text: str) -> list[dict[str, Any]]:
    """
    Parse a message with CQ codes into segments. What is no code is text.
    """
    segments: list[dict[str, Any]] = []

    def addText(part: str) -> None:
        if part:
            segments.append({"type": "text", "data": {"text": unescape(part)}})

    end = 0
    for found in _CODE.finditer(text):
        addText(text[end : found.start()])
        end = found.end()
        data = {}
        for pair in found[2].split(",")[1:]:
            name, _, value = pair.partition("=")
            data[name.strip()] = unescape(value)
        segments.append({"type": found[1], "data": data})
    addText(text[end:])
    return segments


def formatCQ(segments: Iterable[Mapping[str, Any]]) -> str:
    """
    Write segments as a message with CQ codes.
    """
    return "".join(map(_formatSegment, segments))


def _formatSegment(segment: Mapping[str, Any]) -> str:
    kind, data = segment["type"], segment.get("data") or {}
    if kind == "text":
        return escapeText(str(data.get("text", "")))
    values = "".join(
        f",{name}={escapeValue(str(value))}"
        for name, value in data.items()
        if value is not None
    )
    return f"[CQ:{kind}{values}]"
