"""
JSON objects with the fields of a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from txwebqq.model import Status
from txwebqq.values import Value
from txwebqq.wire.coerce import (
    LIMIT,
    Expected,
    integer,
    statusOf,
    textOf,
    unsigned,
)

V = TypeVar("V", bound=Value)

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""A function that reads a member from JSON, and one that writes it."""

UNSIGNED: Codec = (unsigned, int)
SIGNED: Codec = (integer, int)
"""Numbers of at least 0, which is what numbers are by default, and all numbers."""

_TEXT: Codec = (textOf, str)

ANY_STATUS_WORD: Codec = (statusOf, lambda status: status.value)
"""A status by its word; words that are not known mean online."""

STATUS_CODE: Codec = (
    lambda code: Status.fromCode(integer(code)),
    lambda status: status.code,
)
"""A status by its number."""


def classBehind(kind: Any) -> Any:
    """
    Return the class behind a type: C{int} for L{Uin}, for example.
    """
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif hasattr(kind, "__supertype__"):
            kind = kind.__supertype__
        else:
            return kind


def words(kind: type[Enum]) -> Codec:
    """
    Return the codec of an enumeration whose values are the words of the wire.
    """
    members = {member.value: member for member in kind}

    def read(word: Any) -> Enum:
        try:
            return members[word]
        except (KeyError, TypeError):
            raise Expected("a known word") from None

    return read, lambda member: member.value


STATUS_WORD = words(Status)
"""A status by its word, which must be a known one."""

_CODECS: Mapping[Any, Codec] = {int: UNSIGNED, str: _TEXT}
_EMPTY: Mapping[Any, Any] = {int: 0, str: "", bool: False}


class Record(Generic[V]):
    """
    Conversion of a value to a JSON object and back.

    The members of the object are named in the order in which they are written, with
    spaces between them:

      - C{nick}: the field C{nick};
      - C{lnick:signature}: the field C{signature}, by another name;
      - C{name?}: a field that is 0, C{""} or L{False} when the member is missing,
        also if the field has another default;
      - C{allow!}: a member that must be there, although the field has a default;
      - C{[question]}: a member that is written only if it is not the default;
      - C{type=0}, C{uiuin=}: a constant number or text, which is not read.

    A number is read as L{unsigned} does, a text as L{textOf}. A field with a default
    gets it when the member is missing; a number also when it is null or empty,
    unless the record is strict.

    @ivar kind: the class of the value.
    """

    def __init__(
        self,
        kind: type[V],
        members: str,
        isStrict: bool = False,
        **codecs: Codec,
    ) -> None:
        """
        @param isStrict: whether a number that is null or empty is an error.
        @param codecs: the codecs of fields that are not read in the usual way, by
            the names of the fields.
        """
        self.kind = kind
        known = {field.name: field for field in fields(kind)}
        if unknown := codecs.keys() - known:
            raise TypeError(f"{kind.__name__} has no field {', '.join(unknown)}")
        self._template: dict[str, Any] = {}
        self._members: list[_Member] = []
        for spec in members.split():
            name, isConstant, constant = spec.partition("=")
            if isConstant:
                isNumber = constant.removeprefix("-").isdigit()
                self._template[name] = int(constant) if isNumber else constant
                continue
            name, _, attribute = spec.strip("[]?!").partition(":")
            field = known.get(attribute or name)
            if field is None:
                raise TypeError(f"{kind.__name__} has no field {attribute or name}")
            codec = codecs.get(field.name) or _CODECS.get(classBehind(field.type))
            if codec is None:
                raise TypeError(
                    f"{kind.__name__}.{field.name} needs a codec: {field.type}"
                )
            self._members.append(_Member(name, field, codec, spec, isStrict))
            self._template[name] = None
        self._get = _getterOf([member.attribute for member in self._members])
        self._isWhole = not any(member.isOptional for member in self._members)

    def write(self, value: V) -> dict[str, Any]:
        """
        Return the JSON object of a value.
        """
        written = self._template.copy()
        for member, item in zip(self._members, self._get(value), strict=True):
            write = member.write
            written[member.name] = item if write is None else write(item)
        if not self._isWhole:
            for member in self._members:
                item = getattr(value, member.attribute)
                if member.isOptional and item == member.default:
                    del written[member.name]
        return written

    def read(self, value: Any, **others: Any) -> V:
        """
        Return the value of a JSON object.

        @param others: the fields that are no members of the object.
        """
        get = value.get
        for member in self._members:
            item = get(member.name)
            # Nearly all members are numbers in range.
            if not (member.isNumber and type(item) is int and 0 <= item < LIMIT):
                item = member.read(value)
            others[member.attribute] = item
        try:
            return self.kind(**others)
        except TypeError as e:
            # Otherwise it would look like an error of the one who wrote the JSON.
            raise AssertionError(f"{self.kind.__name__} lacks a field") from e


def _getterOf(attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(attributes) > 1:
        return attrgetter(*attributes)
    return lambda value: tuple(getattr(value, name) for name in attributes)


class _Member:
    """
    One member of an object.
    """

    def __init__(
        self, name: str, field: FieldInfo, codec: Codec, spec: str, isStrict: bool
    ) -> None:
        self.name = name
        self.attribute = field.name
        self._read, write = codec
        self.write = None if codec in (UNSIGNED, SIGNED, _TEXT) else write
        self.isNumber = self._read in (unsigned, integer)
        self._mayBeEmpty = self.isNumber and not isStrict
        self.isOptional = spec.startswith("[")
        isLenient = spec.endswith("?")
        self.default = (
            _EMPTY.get(classBehind(field.type)) if isLenient else field.default
        )
        self._isRequired = self.default is NODEFAULT or spec.endswith("!")

    def read(self, value: Any) -> Any:
        """
        Read the member of an object.
        """
        name = self.name
        if self._isRequired:
            return self._read(value[name])
        item = value.get(name)
        if item is None and name not in value:
            return self.default
        # Zero is not empty.
        if self._mayBeEmpty and not item and not isinstance(item, (int, float)):
            return self.default
        return self._read(item)
