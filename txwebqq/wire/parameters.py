"""
Parameters of requests that are declared as fields: how each is written, and how the
server reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from txwebqq.errors import MalformedReply
from txwebqq.model import Did, Status
from txwebqq.wire.coerce import Expected, unsigned
from txwebqq.wire.command import Command
from txwebqq.wire.form import Form, Pairs
from txwebqq.wire.jsontext import encodeGivenJSON, parseJSON
from txwebqq.wire.record import classBehind

R = TypeVar("R")

MAX_UINS = 5000
"""Maximum number of accounts in one request."""


def numbersIn(form: Form, name: str, limit: int = MAX_UINS) -> tuple[Any, ...]:
    """
    Return the numbers of a parameter that is a JSON list, or its text; some clients
    write each number as a string.

    @raise MalformedReply: it is no such list, or is longer than the limit.
    """
    value = form.raw(name)
    if isinstance(value, str):
        try:
            value = parseJSON(value)
        except MalformedReply:
            value = None
    if not isinstance(value, list):
        raise MalformedReply(f"{name} is not a list")
    if len(value) > limit:
        raise MalformedReply(f"{name} has more than {limit} entries")
    numbers = []
    for index, number in enumerate(value):
        try:
            numbers.append(unsigned(number))
        except Expected as e:
            raise MalformedReply(f"{name}[{index}]: expected {e}") from None
    return tuple(numbers)


class Parameter:
    """
    A mark for a field whose type does not tell how it is read and written:
    C{Annotated[int, Parameter(read, write)]}.

    @ivar read: returns the field from a form, by the name of the parameter; it gets
        the field's default, L{None} if there is none, and raises L{MalformedReply}.
    @ivar write: returns a JSON value, L{None} for a parameter that is not sent.
        Outside of C{r}, numbers are sent as texts, and lists as JSON.
    """

    def __init__(
        self,
        read: Callable[[Form, str, Any], Any],
        write: Callable[[Any], Any],
    ) -> None:
        self.read = read
        self.write = write


def _asItIs(value: Any) -> Any:
    return value


def _readFlag(form: Form, name: str, default: bool | None) -> bool:
    return form.integer(name, None if default is None else int(default)) != 0


def _readOptionalText(form: Form, name: str, default: str | None) -> str | None:
    return default if form.raw(name) is None else form.text(name)


def _readOptionalNumber(form: Form, name: str, default: int | None) -> int | None:
    return default if form.raw(name) in (None, "") else form.integer(name)


def _readNumbers(
    form: Form, name: str, default: tuple[Any, ...] | None
) -> tuple[Any, ...]:
    if default is not None and form.raw(name) is None:
        return default
    return numbersIn(form, name)


def _readRawText(form: Form, name: str, _: None) -> str:
    if name not in form:
        raise MalformedReply(f"{name} is missing")
    return form[name]


def _readRawOrDefault(form: Form, name: str, default: str | None) -> str:
    return form.get(name, default or "")


def _readRawNumber(form: Form, name: str, default: int) -> int:
    text = form.get(name, "")
    isSmall = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if isSmall else default


def _readRawStatus(form: Form, name: str, default: Status) -> Status:
    return Status.fromCode(_readRawNumber(form, name, default.code))


def _enumeration(kind: type[Enum]) -> Parameter:
    def read(form: Form, name: str, default: Enum | None) -> Enum:
        word = form.text(name, None if default is None else default.value)
        for member in kind:
            if member.value == word:
                return member
        raise MalformedReply(f"{name} is not a {kind.__name__.lower()}")

    return Parameter(read, lambda member: member.value)


NUMBER = Parameter(Form.integer, _asItIs)
TEXT = Parameter(Form.text, _asItIs)
_FLAG = Parameter(_readFlag, int)
_OPTIONAL_TEXT = Parameter(_readOptionalText, _asItIs)
_OPTIONAL_NUMBER = Parameter(_readOptionalNumber, _asItIs)
_NUMBERS = Parameter(_readNumbers, list)
# The original page writes the dids of discussions as strings everywhere.
_DID = Parameter(Form.integer, str)

NUMBER_OR_ZERO = Parameter(lambda form, name, _: form.integer(name, 0), _asItIs)
TEXT_OR_EMPTY = Parameter(lambda form, name, _: form.text(name, ""), _asItIs)
"""A number and a text that the class requires, and that the server reads as 0 and
C{""} when they are missing."""

TIME = Parameter(lambda form, name, _: form.milliseconds, _asItIs)
"""The time of a request, which prevents caching (L{Form.milliseconds})."""

# The parameters of the login pages are never members of r, which is a random number
# there: they are read without Form.text.
RAW_TEXT = Parameter(_readRawText, str)
"""A text of a login page."""

RAW_OR_EMPTY = Parameter(_readRawOrDefault, str)
"""A text of a login page that may be missing."""

RAW_UNLESS_EMPTY = Parameter(_readRawOrDefault, lambda text: text or None)
"""A text of a login page that is not sent when it is empty."""

IS_PRESENT = Parameter(
    lambda form, name, _: name in form, lambda isPresent: 1 if isPresent else None
)
"""Whether a parameter, which is 1, is there."""

IS_SET = Parameter(_readFlag, lambda isSet: 1 if isSet else None)
"""A flag that is not sent when it is not set."""

RAW_STATUS = Parameter(_readRawStatus, lambda status: status.code)
"""The number of a status, the default for a text that is no number."""

RAW_NUMBER = Parameter(_readRawNumber, int)
"""A number, the default for a text that is no number."""


def _parameterFor(field: FieldInfo) -> Parameter:
    kind = field.type
    if get_origin(kind) is Annotated:
        for mark in get_args(kind)[1:]:
            if isinstance(mark, Parameter):
                return mark
        kind = get_args(kind)[0]
    if kind is Did:
        return _DID
    # A union of types made by NewType is of the older kind.
    isUnion = get_origin(kind) in (Union, UnionType)
    kinds = {classBehind(each) for each in (get_args(kind) if isUnion else (kind,))}
    if get_origin(kind) is tuple and [*map(classBehind, get_args(kind))] == [int, ...]:
        return _NUMBERS
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enumeration(kind)
    for types, parameter in _PARAMETERS:
        if kinds == types:
            return parameter
    raise TypeError(
        f"the field {field.name} needs a Parameter: {kind} does not say how it is read"
    )


_PARAMETERS = (
    ({bool}, _FLAG),
    ({int}, NUMBER),
    ({str}, TEXT),
    ({int, NoneType}, _OPTIONAL_NUMBER),
    ({str, NoneType}, _OPTIONAL_TEXT),
)


_TICKET = {
    name: attrgetter(f"ticket.{name}") for name in ("clientid", "psessionid", "vfwebqq")
}
_OUTSIDE: dict[str, Callable[[Any], Any]] = {
    **_TICKET,
    # Tencent's own page sends the word before there is an id.
    "psessionid": lambda command: command.ticket.psessionid or "null",
}


class _Layout:
    """
    The parameters of a declared request, by their names on the wire.
    """

    def __init__(self, command: type[DeclaredCommand[Any]]) -> None:
        known = {
            field.encode_name: field
            for field in fields(command)
            if field.name != "ticket"
        }
        self._name = command.__name__
        names = command.order or " ".join(n for n in known if n != "t")
        self._inner = [
            self._writer(each, known) for each in f"{names} {command.tail}".split()
        ]
        self._outer = [(name, _OUTSIDE[name]) for name in command.outside.split()]
        self._isJSON = command.isJSON
        self._readers = [
            (
                field.name,
                name,
                _parameterFor(field).read,
                None if field.default is NODEFAULT else field.default,
            )
            for name, field in known.items()
        ]
        self._hasTicket = any(field.name == "ticket" for field in fields(command))

    def _writer(
        self, spec: str, known: dict[str, FieldInfo]
    ) -> tuple[str, Callable[[Any], Any]]:
        name, isConstant, constant = spec.partition("=")
        if isConstant:
            return name, lambda _: constant
        if name in _TICKET and name not in known:
            return name, _TICKET[name]
        if name not in known:
            raise TypeError(
                f"{self._name} has no field for the parameter {name} of its order;"
                f" its parameters are {' '.join(known)}"
            )
        get, write = attrgetter(known[name].name), _parameterFor(known[name]).write
        return name, get if write is _asItIs else lambda command: write(get(command))

    def encode(self, command: DeclaredCommand[Any]) -> Pairs:
        """
        Return the parameters of a request.
        """
        values = [(name, get(command)) for name, get in self._inner]
        members = [(name, value) for name, value in values if value is not None]
        if self._isJSON:
            pairs = [("r", encodeGivenJSON(dict(members)))]
        else:
            pairs = [(name, _asText(value)) for name, value in members]
        pairs += [(name, get(command)) for name, get in self._outer]
        return pairs

    def decode(self, form: Form) -> dict[str, Any]:
        """
        Return the fields of a request.
        """
        values = {
            attribute: read(form, name, default)
            for attribute, name, read, default in self._readers
        }
        if self._hasTicket:
            values["ticket"] = form.ticket
        return values


def _asText(value: Any) -> Any:
    if isinstance(value, list):
        return encodeGivenJSON(value)
    # The percent-encoding refuses all other types.
    return str(value) if isinstance(value, (int, float)) else value


@cache
def _layoutOf(command: type[DeclaredCommand[Any]]) -> _Layout:
    return _Layout(command)


class DeclaredCommand(Command[R]):
    """
    A command whose parameters are its fields. A field is named as its parameter, or
    gives the parameter's name: C{field(name="tuin")}, with C{field} of msgspec.

    These types need no mark: C{int} and the ids that are one, C{str}, C{bool} (0 and
    1), enumerations (by their values), C{int | None} and C{str | None} (not sent when
    L{None}), and C{tuple[int, ...]} (a JSON list). All others need a L{Parameter}.

    @cvar order: the names of the parameters as they are sent, with spaces between
        them, where the fields have another order. C{type=0} is a constant, a text.
        A parameter that is not named is not sent.
    @cvar tail: the names of the parts of the ticket that follow, and C{t}.
    @cvar isJSON: whether all these are members of C{r}.
    @cvar outside: the parts of the ticket that follow C{r}.
    """

    order: ClassVar[str] = ""
    tail: ClassVar[str] = ""
    isJSON: ClassVar[bool] = False
    outside: ClassVar[str] = ""

    def encodeFields(self) -> Pairs:
        return _layoutOf(type(self)).encode(self)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(**_layoutOf(cls).decode(form))
