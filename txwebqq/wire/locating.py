"""
Decoding of parsed JSON, with errors that say where in it the value was that could
not be decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from txwebqq.errors import MalformedReply
from txwebqq.wire.coerce import SHAPE_ERRORS, Expected

D = TypeVar("D")


def decodeOrMalformed(decode: Callable[..., D], value: Any, *args: Any) -> D:
    """
    Call a decoder.

    @param value: parsed JSON, the decoder's first argument.

    @raise MalformedReply: when the decoder raises one of L{SHAPE_ERRORS}. The text
        names the member that was read last, as in
        C{"friends[3].uin: expected an integer"}, and quotes no value.
    """
    try:
        return decode(value, *args)
    except SHAPE_ERRORS as e:
        reason = _locate(decode, value, args) or _reason(e)
    # Outside of the clause, since the first error may quote a value.
    raise MalformedReply(reason)


def _reason(error: Exception) -> str:
    if isinstance(error, Expected):
        return f"expected {error}"
    return "expected another value"


def _locate(decode: Callable[..., Any], value: Any, args: tuple[Any, ...]) -> str:
    """
    Decode once more, to see which member was read last before the error.

    @return: C{""} when it is not known.
    """
    watch = _Watch()
    try:
        decode(watch.watched(value, ""), *args)
    except SHAPE_ERRORS as e:
        if not watch.place:
            return _reason(e)
        if isinstance(e, _Missing):
            return f"{watch.place} is missing"
        what = str(e) if isinstance(e, Expected) else "another value"
        return f"{watch.place}: expected {what}"
    except MalformedReply:
        pass
    return ""


class _Missing(KeyError):
    """
    An object has no member of a name.
    """


class _Watch:
    """
    The place in JSON from which a decoder has read last.
    """

    def __init__(self) -> None:
        self.place = ""

    def watched(self, value: Any, place: str) -> Any:
        """
        Return a value that notes its place when it is read.
        """
        if isinstance(value, dict):
            return _WatchedObject(value, self, place)
        if isinstance(value, list):
            return _WatchedList(value, self, place)
        return value

    def read(self, value: Any, place: str) -> Any:
        """
        Note that a decoder reads the value at a place.
        """
        self.place = place
        return self.watched(value, place)


class _WatchedObject(dict[str, Any]):
    def __init__(self, members: dict[str, Any], watch: _Watch, place: str) -> None:
        super().__init__(members)
        self._watch = watch
        self._prefix = f"{place}." if place else ""

    def __getitem__(self, name: Any) -> Any:
        place = f"{self._prefix}{name}"
        if name not in self:
            self._watch.place = place
            raise _Missing
        return self._watch.read(super().__getitem__(name), place)

    def get(self, name: Any, default: Any = None) -> Any:
        item = super().get(name, default)
        if name not in self:
            return item
        return self._watch.read(item, f"{self._prefix}{name}")

    def items(self) -> Any:
        # A name that no decoder asks for may be a secret.
        watched, place = self._watch.watched, f"{self._prefix}*"
        return [(name, watched(item, place)) for name, item in super().items()]


class _WatchedList(list[Any]):
    def __init__(self, items: list[Any], watch: _Watch, place: str) -> None:
        super().__init__(items)
        self._watch = watch
        self._place = place

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return super().__getitem__(index)
        if not isinstance(index, int):
            self._watch.place = self._place
            raise Expected("an object")
        return self._watch.read(super().__getitem__(index), f"{self._place}[{index}]")

    def __iter__(self) -> Iterator[Any]:
        for index, item in enumerate(super().__iter__()):
            yield self._watch.read(item, f"{self._place}[{index}]")

    def get(self, name: str, default: Any = None) -> Any:
        self._watch.place = self._place
        raise Expected("an object")
