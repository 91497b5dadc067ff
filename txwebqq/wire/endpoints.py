"""
The base classes of declared commands: by the host that they are sent to, and where
their parameters are (protocol.md 1.1 and 1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from msgspec import field

from txwebqq.errors import MalformedReply
from txwebqq.wire.command import Authorization, Host, JSONCommand, Referer
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeGivenJSON
from txwebqq.wire.parameters import TIME, DeclaredCommand, Parameter

R = TypeVar("R")


class _Ticketed(DeclaredCommand[R], JSONCommand[R]):
    ticket: Ticket


class ApiPost(_Ticketed[R]):
    """
    Base of commands to the API server, with their parameters in C{r}.
    """

    method = "POST"
    host = Host.API
    authorization = Authorization.VERIFIER
    referer = Referer.API
    isJSON = True
    tail = "vfwebqq"


class ApiForm(ApiPost[R]):
    """
    Base of commands to the API server, with their parameters in a form.
    """

    isJSON = False


class CgiPost(_Ticketed[R]):
    """
    Base of commands to the CGI server, with their parameters in C{r} and C{vfwebqq}
    beside it.
    """

    method = "POST"
    host = Host.CGI
    authorization = Authorization.VERIFIER
    referer = Referer.CGI
    isJSON = True
    outside = "vfwebqq"


class ChannelPost(_Ticketed[R]):
    """
    Base of commands to the channel server, with their parameters in C{r}.
    """

    method = "POST"
    host = Host.CHANNEL
    authorization = Authorization.TICKET
    referer = Referer.CHANNEL
    isJSON = True
    tail = "clientid psessionid"
    outside = "clientid psessionid"


def postFields(members: Mapping[str, Any], ticket: Ticket) -> Pairs:
    """
    Return the form of a channel C{POST}: C{r}, then C{clientid} and C{psessionid}.
    """
    return [
        ("r", encodeGivenJSON(members)),
        ("clientid", ticket.clientid),
        ("psessionid", ticket.psessionid or "null"),
    ]


MAX_SEND_ID = 64
"""The maximum length of C{send_id}."""


def sendIdMember(sendId: str) -> dict[str, Any]:
    """
    Return the member of a send that has the client's own id of the message
    (protocol.md 2.2.11), none without an id.
    """
    return {"send_id": sendId} if sendId else {}


def sendIdIn(form: Form) -> str:
    """
    Return the client's own id of a message, C{""} if there is none.

    @raise MalformedReply: when it is too long.
    """
    sendId = form.text("send_id", "")
    if len(sendId) > MAX_SEND_ID:
        raise MalformedReply(f"send_id has more than {MAX_SEND_ID} characters")
    return sendId


SEND_ID = Parameter(lambda form, *_: sendIdIn(form), lambda sendId: sendId or None)
"""The client's own id of what is sent (protocol.md 2.2.11); C{""} is not sent."""


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

    host = Host.API
    authorization = Authorization.VERIFIER
    referer = Referer.API
    tail = "vfwebqq t"


class CgiGet(ApiGet[R]):
    """
    Base of queries to the CGI server.
    """

    host = Host.CGI
    referer = Referer.CGI


class ChannelGet(Query[R]):
    """
    Base of queries to the channel server.
    """

    host = Host.CHANNEL
    authorization = Authorization.TICKET
    referer = Referer.CHANNEL
    tail = "clientid psessionid t"
