"""
Parameters of requests, written in one way and read in every way in which clients
have written them (compatibility.md 2).
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote

from txwebqq.errors import MalformedReply
from txwebqq.values import Secret, Value
from txwebqq.wire.coerce import LIMIT, textOf, unsigned
from txwebqq.wire.jsontext import encodeText, parseJSONPrefix

MAX_PARAMETERS = 256
"""Maximum number of parameters of a request."""

MAX_PERCENT_SIGNS = 1000
"""Maximum number of percent signs in a field that begin no escape. Clients write
some into a text that they do not encode."""

_TOO_MANY = f"the request has more than {MAX_PARAMETERS} parameters"

Pairs = list[tuple[str, str]]
"""Names and values of parameters, in the order in which they are sent."""


class Ticket(Value):
    """
    The secrets by which the server knows a session; a request carries some of them.

    @ivar clientid: the client's id, a new random number in each run of a client.
    @ivar psessionid: the id of the channel session, C{""} before there is one.
    @ivar vfwebqq: the verifier, which authorises look-ups at the API server.
    @ivar ptwebqq: the proof of the login, also a cookie.
    """

    clientid: str = ""
    psessionid: Secret = ""
    vfwebqq: Secret = ""
    ptwebqq: Secret = ""


_SAFE = "!'()*~"
_UNSAFE = re.compile("[^A-Za-z0-9_.!'()*~-]")
# The percent sign comes first, since all other escapes contain it.
_ESCAPES = [
    (character, quote(character, safe=_SAFE))
    for character in sorted(map(chr, range(128)), key=lambda c: c != "%")
    if _UNSAFE.match(character) is not None
]


def percentEncode(value: str) -> str:
    """
    Encode a value as the browser's C{encodeURIComponent} does.
    """
    if _UNSAFE.search(value) is None:
        return value
    if not value.isascii():
        return quote(encodeText(value), safe=_SAFE)
    # JSON has many of few characters: four times faster than one by one.
    for character, escape in _ESCAPES:
        if character in value:
            value = value.replace(character, escape)
    return value


def encodeForm(pairs: Iterable[tuple[str, str]]) -> bytes:
    """
    Return a query or a form body, in the given order.
    """
    return "&".join(
        f"{percentEncode(name)}={percentEncode(value)}" for name, value in pairs
    ).encode("ascii")


_NO_ESCAPE = re.compile(b"%(?![0-9A-Fa-f]{2})")


def _percentDecode(raw: bytes) -> str:
    if b"%" not in raw and b"+" not in raw and raw.isascii():
        return raw.decode("ascii")
    data = raw.replace(b"+", b" ")
    if b"%" in data:
        if _NO_ESCAPE.search(data) is not None:
            data, count = _NO_ESCAPE.subn(b"%25", data, MAX_PERCENT_SIGNS + 1)
            if count > MAX_PERCENT_SIGNS:
                raise MalformedReply("a field is not percent-encoded")
        # Quoted-printable differs from percent-encoding in its escape character
        # only. Its decoder takes a tenth of the time of urllib's, and time that is
        # linear in the number of escapes.
        data = a2b_qp(data.replace(b"=", b"=3D").replace(b"%", b"="))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        # Clients on Windows wrote file names in the Chinese code page.
        return data.decode("gb18030")
    except UnicodeDecodeError as e:
        raise MalformedReply("a field is neither UTF-8 nor GB18030") from e


_NAMES = {name.encode(): name for name in ("r", "clientid", "psessionid", "vfwebqq")}
"""The names that need not be decoded."""

_RAW = re.compile(rb"(?:^|&)r=\s*(?=[\{\[])")


def _splitRaw(body: bytes) -> tuple[bytes, str | None]:
    """
    Take an C{r} that was not percent-encoded out of a form.

    @return: the rest of the form, and the JSON text or L{None}.
    """
    found = _RAW.search(body) if b"{" in body or b"[" in body else None
    if found is None:
        return body, None
    tail = body[found.end() :].decode("utf-8", "replace").strip()
    try:
        _, rest = parseJSONPrefix(tail)
    except MalformedReply:
        # The rest is percent-encoded, only the brackets are not.
        return body, None
    raw = tail[: len(tail) - len(rest)]
    return body[: found.start()] + b"&" + rest.lstrip("&").encode(), raw


class Form(Mapping[str, str]):
    """
    The parameters of a request, as the server reads them.

    Reading a parameter that is missing or malformed raises L{MalformedReply} with the
    name of the parameter.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._fields: dict[str, str] = {}
        for name, value in pairs:
            self._fields.setdefault(name, value)

    @classmethod
    def parse(cls, query: bytes, body: bytes = b"") -> Form:
        """
        Read a query and a form body in all the ways in which clients have written them
        (compatibility.md 2): C{r} encoded or raw, with other parameters inside it or
        beside it.

        @raise MalformedReply: when a parameter has an unknown character encoding, or
            there are more than L{MAX_PARAMETERS}.
        """
        body, raw = _splitRaw(body)
        if body.count(b"&") + query.count(b"&") >= MAX_PARAMETERS:
            raise MalformedReply(_TOO_MANY)
        parts = body.strip().split(b"&")
        if query:
            parts += query.split(b"&")
        form = cls(())
        fields = form._fields
        if raw is not None:
            fields["r"] = raw
        for part in parts:
            name, _, value = part.partition(b"=")
            key = _NAMES.get(name)
            if key is None:
                if not name:
                    continue
                key = _percentDecode(name)
            # Most values are secrets in ASCII.
            text = value.decode() if value.isalnum() else _percentDecode(value)
            if key not in fields:
                fields[key] = text
        return form

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    @cached_property
    def r(self) -> Mapping[str, Any]:
        """
        The members of C{r}, and the parameters behind its JSON.

        @raise MalformedReply: when C{r} is not a JSON object.
        """
        text = self._fields.get("r")
        if text is None:
            return {}
        value, rest = parseJSONPrefix(text)
        if not isinstance(value, dict):
            raise MalformedReply("r is not a JSON object")
        if not rest:
            return value
        if rest.count("&") >= MAX_PARAMETERS:
            raise MalformedReply(_TOO_MANY)
        for part in rest.split("&"):
            name, _, inner = part.partition("=")
            if name.strip():
                value.setdefault(name.strip(), inner)
        return value

    def raw(self, name: str) -> Any:
        """
        Return a parameter of C{r} as parsed from JSON, or one beside C{r}; else
        L{None}.
        """
        value = self.r.get(name)
        return self._fields.get(name) if value is None else value

    def text(self, name: str, default: str | None = None) -> str:
        """
        Return a parameter as text.
        """
        value = self.r.get(name)
        if value is None:
            value = self._fields.get(name)
        if type(value) is str:
            return value
        if value is None or isinstance(value, (dict, list, bool)):
            if default is not None:
                return default
            raise MalformedReply(f"{name} is missing")
        return textOf(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """
        Return a parameter as a number, which may have been sent as a string.
        """
        value = self.r.get(name)
        if type(value) is int and -LIMIT < value < LIMIT:
            return value
        if value is None:
            value = self._fields.get(name)
        if value is None or value == "":
            if default is not None:
                return default
            raise MalformedReply(f"{name} is missing")
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            # The text of the error would quote the value.
            raise MalformedReply(f"{name} is not a number") from None
        if not -LIMIT < number < LIMIT:
            raise MalformedReply(f"{name} is out of range")
        return number

    @property
    def milliseconds(self) -> int:
        """
        The parameter C{t}, a time that prevents caching; 0 for values that are no
        number, which some clients send.
        """
        try:
            return int(unsigned(float(self.text("t", "0"))))
        except (ValueError, OverflowError):
            return 0

    @property
    def ticket(self) -> Ticket:
        """
        The parts of a ticket that the request carries.
        """
        r, fields = self.r, self._fields
        found = []
        for name in Ticket.__struct_fields__:
            value = r.get(name)
            if value is None:
                value = fields.get(name, "")
            # Texts as they are: each request has a ticket.
            found.append(value if type(value) is str else self.text(name, ""))
        clientid, psessionid, vfwebqq, ptwebqq = found
        if psessionid == "null":
            psessionid = ""
        return Ticket(clientid, psessionid, vfwebqq, ptwebqq)
