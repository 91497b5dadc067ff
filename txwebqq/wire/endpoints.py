"""
The base classes of declared commands: by the host that they are sent to, and where
their parameters are (protocol.md 1.1 and 1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from msgspec import field

from txwebqq.wire.command import Authorization, Host, JSONCommand, Referer
from txwebqq.wire.form import Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON
from txwebqq.wire.parameters import TIME, DeclaredCommand

R = TypeVar("R")


class _Ticketed(DeclaredCommand[R], JSONCommand[R]):
    ticket: Ticket


class ApiPost(_Ticketed[R]):
    """
    Base of commands to the API server, with their parameters in C{r}.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    isJSON: ClassVar[bool] = True
    tail: ClassVar[str] = "vfwebqq"


class ApiForm(ApiPost[R]):
    """
    Base of commands to the API server, with their parameters in a form.
    """

    isJSON: ClassVar[bool] = False


class CgiPost(_Ticketed[R]):
    """
    Base of commands to the CGI server, with their parameters in C{r} and C{vfwebqq}
    beside it.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CGI
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.CGI
    isJSON: ClassVar[bool] = True
    outside: ClassVar[str] = "vfwebqq"


class ChannelPost(_Ticketed[R]):
    """
    Base of commands to the channel server, with their parameters in C{r}.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.CHANNEL
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    isJSON: ClassVar[bool] = True
    tail: ClassVar[str] = "clientid psessionid"
    outside: ClassVar[str] = "clientid psessionid"


def postFields(members: Mapping[str, Any], ticket: Ticket) -> Pairs:
    """
    Return the form of a channel C{POST}: C{r}, then C{clientid} and C{psessionid}.
    """
    return [
        ("r", encodeJSON(members)),
        ("clientid", ticket.clientid),
        ("psessionid", ticket.psessionid or "null"),
    ]


class Query(_Ticketed[R], kw_only=True):
    """
    Base of commands with their parameters in the query.

    @ivar milliseconds: when the request is sent, Unix time; 0 lets the client fill
        it in.
    """

    milliseconds: Annotated[int, TIME] = field(name="t", default=0)


class ApiGet(Query[R]):
    """
    Base of queries to the API server.
    """

    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API
    tail: ClassVar[str] = "vfwebqq t"


class CgiGet(ApiGet[R]):
    """
    Base of queries to the CGI server.
    """

    host: ClassVar[Host] = Host.CGI
    referer: ClassVar[Referer | None] = Referer.CGI


class ChannelGet(Query[R]):
    """
    Base of queries to the channel server.
    """

    host: ClassVar[Host] = Host.CHANNEL
    authorization: ClassVar[Authorization] = Authorization.TICKET
    referer: ClassVar[Referer | None] = Referer.CHANNEL
    tail: ClassVar[str] = "clientid psessionid t"
