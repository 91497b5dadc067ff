"""
Commands whose request is a form with a file, and commands whose reply is one.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal, TypeVar

from txwebqq.errors import MalformedReply
from txwebqq.wire.command import Command, Refusal, encodeRefusal, refusalOf
from txwebqq.wire.form import Pairs
from txwebqq.wire.jsontext import encodeText, parseJSON
from txwebqq.wire.locating import decodeOrMalformed

R = TypeVar("R")

MAX_REFUSAL = 4096
"""Maximum size of a refusal in place of a picture or a file, in bytes."""

_REFUSAL = re.compile(rb'\s*\{\s*"')


def refusalIn(body: bytes) -> Refusal | None:
    """
    Return the refusal in a body that should be a picture or a file, else L{None}.
    """
    if len(body) > MAX_REFUSAL or _REFUSAL.match(body) is None:
        return None
    try:
        return decodeOrMalformed(refusalOf, parseJSON(body))
    except MalformedReply:
        return None


class BinaryCommand(Command[bytes]):
    """
    A command with a picture or a file for a reply, often behind a redirect.
    """

    @classmethod
    def encodeReply(cls, reply: bytes | Refusal) -> bytes:
        return encodeRefusal(reply) if isinstance(reply, Refusal) else reply

    @classmethod
    def decodeReply(cls, body: bytes) -> bytes | Refusal:
        return refusalIn(body) or body


class UploadCommand(Command[R]):
    """
    A command whose request is a form with a file, C{multipart/form-data};
    C{encodeFields} returns the fields before the file.

    @cvar fileField: the name of the file's field.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    fileField: ClassVar[str] = "file"

    def encodeQuery(self) -> Pairs:
        """
        Return the query of the URL.
        """
        return []

    def encodeTail(self) -> Pairs:
        """
        Return the fields behind the file.
        """
        return []


_SCRIPT_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*){0,8}", re.ASCII)


def scriptName(text: str, default: str) -> str:
    """
    Return a function name that a reply may call in a script, the default for any other
    text, since a client's text must not get into a page.
    """
    fits = len(text) <= 120 and _SCRIPT_NAME.fullmatch(text)
    return text if fits else default


def encodeParts(
    boundary: str, fields: Pairs, tail: Pairs, fileField: str, fileName: str
) -> tuple[bytes, bytes]:
    """
    Return the bytes of a form before and behind those of its file.
    """
    name = fileName.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    head = "".join(_part(boundary, *pair) for pair in fields) + (
        f"--{boundary}\r\nContent-Disposition: form-data; "
        f'name="{fileField}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    after = "\r\n" + "".join(_part(boundary, *pair) for pair in tail)
    return encodeText(head), encodeText(f"{after}--{boundary}--\r\n")


def _part(boundary: str, name: str, value: str) -> str:
    return (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    )


_NAME = re.compile(r'[;\s]name="([^"]{0,200})"|[;\s]name=([^;\s"]{1,200})')

_FILE_NAME = re.compile(r'[;\s]filename="((?:\\"|[^"])*)"|[;\s]filename=([^;\s"]+)')

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def decodePart(disposition: bytes) -> tuple[str, str | None]:
    """
    Return the name of a field and its file name, L{None} if it is no file, from its
    C{Content-Disposition} in UTF-8 or the Chinese code page.

    @raise MalformedReply: when the field has no name.
    """
    try:
        text = disposition.decode("utf-8")
    except UnicodeDecodeError:
        text = disposition.decode("gb18030", "replace")
    name, file = _NAME.search(text), _FILE_NAME.search(text)
    if name is None:
        raise MalformedReply("a part of the form has no name")
    if file is None:
        return name[1] or name[2], None
    value = (file[1] or file[2] or "").replace('\\"', '"')
    for mark, char in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        value = value.replace(mark, char)
    if _DRIVE.match(value):
        # Some browsers sent the whole path.
        value = re.split(r"[\\/]", value)[-1]
    return name[1] or name[2], value
