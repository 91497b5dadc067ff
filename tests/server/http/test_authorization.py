"""
The proof of a session that each command declares, and the server asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from tests.server.forms import form, upload
from tests.server.harness import ALICE, Response, ServerHarness
from tests.wire.contact_rows import CONTACT_ROWS
from tests.wire.group_rows import GROUP_ROWS
from tests.wire.history_rows import HISTORY_ROWS
from tests.wire.interaction_rows import INTERACTION_ROWS
from tests.wire.media_rows import MEDIA_ROWS
from tests.wire.rows import ROWS, commands
from txwebqq.model import Status
from txwebqq.server.domain.state import Joined, ServerState
from txwebqq.server.resource import SWEEP
from txwebqq.server.sessions.session import EndReason, Session
from txwebqq.server.sessions.sessions import LAPSE
from txwebqq.wire.command import Authorization, Command, Refusal
from txwebqq.wire.commands.pictures import CfaceUpload, CustomFaceUploadResult
from txwebqq.wire.commands.profiles import GetSingleLongNick2
from txwebqq.wire.form import Ticket, encodeForm
from txwebqq.wire.multipart import UploadCommand

REQUESTS: dict[type[Command[Any]], Any] = {
    row.command: row.request
    for row in (
        *ROWS,
        *CONTACT_ROWS,
        *GROUP_ROWS,
        *HISTORY_ROWS,
        *INTERACTION_ROWS,
        *MEDIA_ROWS,
    )
}

CLIENTID = "4728"
WRONG = "f" * 80
SERVED = "served"
SKEY = "@abcdefghi"

UNKNOWN = Refusal(121, seconds=0)
LOGGED_OUT = Refusal(100, "logged out")
STALE = Refusal(100000, "vfwebqq is not valid")
NO_LOGIN = Refusal(100000, "the cookies uin and skey are not of one login")
NO_UPLOADER = CustomFaceUploadResult(
    2, "get uin and skey error", REQUESTS[CfaceUpload].callback
)
REFUSALS = (UNKNOWN, LOGGED_OUT, STALE, NO_LOGIN)

REFUSED = {
    Authorization.TICKET: UNKNOWN,
    Authorization.VERIFIER: STALE,
    Authorization.TICKET_OR_VERIFIER: UNKNOWN,
    Authorization.VERIFIER_OR_COOKIE: UNKNOWN,
    Authorization.VERIFIER_OR_LONE_COOKIE: STALE,
    Authorization.LOGIN_COOKIES: NO_LOGIN,
}
"""The replies to requests that prove no session."""

PROOFS = {
    "nothing": set[Authorization](),
    "ticket": {Authorization.TICKET, Authorization.TICKET_OR_VERIFIER},
    "verifier": {
        Authorization.VERIFIER,
        Authorization.TICKET_OR_VERIFIER,
        Authorization.VERIFIER_OR_COOKIE,
        Authorization.VERIFIER_OR_LONE_COOKIE,
    },
    "cookie": {
        Authorization.VERIFIER_OR_COOKIE,
        Authorization.VERIFIER_OR_LONE_COOKIE,
    },
    "cookie and a wrong verifier": {Authorization.VERIFIER_OR_COOKIE},
    "cookies of the login": {Authorization.LOGIN_COOKIES},
    "all": set(Authorization) - {Authorization.NONE},
}
"""The kinds of commands that each proof of a live session is enough for."""


@dataclass
class SignedOn:
    """
    A session with its secrets.
    """

    session: Session
    ptwebqq: str
    psessionid: str
    vfwebqq: str


def proof(kind: str, signedOn: SignedOn) -> tuple[Ticket, str]:
    """
    The ticket and the C{Cookie} header of a request.
    """
    login = f"uin=o{signedOn.session.number}; skey={SKEY}"
    cookie = f"ptwebqq={signedOn.ptwebqq}"
    match kind:
        case "ticket":
            return Ticket(CLIENTID, psessionid=signedOn.psessionid), ""
        case "verifier":
            return Ticket(CLIENTID, vfwebqq=signedOn.vfwebqq), ""
        case "cookie":
            return Ticket(CLIENTID), cookie
        case "cookie and a wrong verifier":
            return Ticket(CLIENTID, vfwebqq=WRONG), cookie
        case "cookies of the login":
            return Ticket(CLIENTID), login
        case "all":
            ticket = Ticket(CLIENTID, signedOn.psessionid, signedOn.vfwebqq)
            return ticket, f"{cookie}; {login}"
    return Ticket(CLIENTID), ""


class Asker:
    """
    A server, and a way to send it any command with any proof.
    """

    def __init__(self) -> None:
        self.harness = ServerHarness()
        self.renew()

    def signOn(self) -> SignedOn:
        """
        Open a session of Alice.
        """
        ptwebqq = self.harness.change(lambda state: state.sessions.admit(ALICE, SKEY))
        joined = self.harness.change(
            lambda state: state.join(ptwebqq, "", CLIENTID, Status.ONLINE)
        )
        assert isinstance(joined, Joined)
        return SignedOn(joined.session, ptwebqq, joined.psessionid, joined.vfwebqq)

    def ask(
        self,
        kind: type[Command[Any]],
        name: str,
        more: Mapping[str, str] | None = None,
    ) -> Any:
        """
        Send a command.

        @return: the decoded reply; L{SERVED} for a request that the server holds
            and for a redirection.
        """
        ticket, cookie = proof(name, self.signedOn)
        command = REQUESTS[kind]
        if hasattr(command, "ticket"):
            command = replace(command, ticket=ticket)
        headers = {"Cookie": cookie} if cookie else {}
        response = self.send(command, {**headers, **(more or {})})
        if response is None or response.status == 302:
            return SERVED
        return kind.decodeReply(response.body)

    def send(self, command: Command[Any], headers: dict[str, str]) -> Response | None:
        path = urlsplit(command.url).path
        query = encodeForm(command.encodeFields()).decode()
        if isinstance(command, UploadCommand):
            before, after = dict(command.encodeFields()), dict(command.encodeTail())
            query = encodeForm(command.encodeQuery()).decode()
            body = form(before, command.fileField, "a.png", b"data", after)
            wire = upload(self.harness, f"{path}?{query}", body, **headers)
        elif command.method == "POST":
            wire = self.harness.post(path, query, headers)
        else:
            wire = self.harness.get(f"{path}?{query}", headers)
        # The server delays what it says to a poll without a session.
        self.harness.clock.advance(1)
        return wire.response if wire.isAnswered else None

    def renew(self) -> None:
        """
        Open another session, with other secrets.
        """
        self.signedOn = self.signOn()
        self.session = self.signedOn.session

    def close(self) -> None:
        self.harness.close()


def name(command: type[Command[Any]]) -> str:
    """
    The name of a command in a report.
    """
    return command.__name__


def expected(command: type[Command[Any]], refusal: Any) -> Any:
    """
    The reply with which a command is refused, as its client reads it.
    """
    if command is CfaceUpload:
        return NO_UPLOADER
    return command.decodeReply(command.encodeReply(refusal))


ALL = sorted(commands(), key=name)


@pytest.mark.parametrize("command", ALL, ids=name)
def test_proofs(command: type[Command[Any]]) -> None:
    """
    The server serves a command to those who prove a session as the command
    declares, and to nobody else.
    """
    authorization = command.authorization
    asker = Asker()
    for given, enough in PROOFS.items():
        asker.renew()
        reply = asker.ask(command, given)
        if authorization is Authorization.NONE or authorization in enough:
            assert reply not in [expected(command, r) for r in REFUSALS], given
        else:
            assert reply == expected(command, REFUSED[authorization]), given
    asker.close()


def test_ticketForVerifier() -> None:
    """
    A ticket does not stand in for the verifier that a command declares.
    """
    asker = Asker()
    session = asker.session
    uin = session.sessionIds.uin(ALICE)
    path = f"/api/get_single_long_nick2?tuin={uin}&t=1"
    assert GetSingleLongNick2.authorization is Authorization.VERIFIER
    for proven, retcode in (
        (f"psessionid={asker.signedOn.psessionid}", 100000),
        (f"vfwebqq={session.vfwebqq}", 0),
    ):
        response = asker.harness.get(f"{path}&{proven}").response
        assert response.json["retcode"] == retcode
    asker.close()


BY_COOKIE = [
    command
    for command in ALL
    if command.authorization in PROOFS["cookie"] and command.method == "POST"
]

OTHER_SITES = (
    {"Origin": "http://evil.example"},
    {"Origin": "http://anything.example:8080"},
    {"Origin": "http://evilqq.com"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
)

OWN_PAGES: tuple[dict[str, str], ...] = (
    {"Origin": "http://anything.example", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://web2.qq.com"},
    {"Sec-Fetch-Site": "same-origin"},
    {},
)


@pytest.mark.parametrize("command", BY_COOKIE, ids=name)
def test_otherSites(command: type[Command[Any]]) -> None:
    """
    A page of another site that has a browser send the cookie changes nothing;
    pages of this server and of Tencent's hosts do.
    """
    asker = Asker()
    for headers, isServed in (
        *((headers, False) for headers in OTHER_SITES),
        *((headers, True) for headers in OWN_PAGES),
    ):
        asker.renew()
        reply = asker.ask(command, "cookie", headers)
        refusal = expected(command, REFUSED[command.authorization])
        assert (reply != refusal) is isServed, headers
    asker.close()


def test_linkWithCookie() -> None:
    """
    A link of another site does not change settings by the cookie alone.
    """
    asker = Asker()
    cookie = {"Cookie": f"ptwebqq={asker.signedOn.ptwebqq}"}
    target = '/keycgi/qqweb/newuac/set.do?r={"itemlist":{"evil":1}}'
    refused = asker.harness.get(target, cookie).response
    assert refused.json["errmsg"] == "vfwebqq is not valid"
    own = asker.harness.get(f"{target}&vfwebqq={asker.session.vfwebqq}").response
    assert own.json["retcode"] == 0
    asker.close()


@pytest.mark.parametrize("command", ALL, ids=name)
def test_lapsed(command: type[Command[Any]]) -> None:
    """
    A lapsed session is found by its verifier and its cookies, not by its ticket.
    """
    asker = Asker()
    asker.harness.clock.pump([SWEEP] * int(2 * LAPSE / SWEEP))
    asker.harness.sweep()
    session = asker.harness.state.sessions.existing(ALICE)
    assert session is not None
    assert session.lapsed
    reply = asker.ask(command, "all")
    if command.authorization is Authorization.TICKET:
        assert reply == UNKNOWN
    else:
        assert reply not in [expected(command, r) for r in REFUSALS]
    asker.close()


@pytest.mark.parametrize("command", ALL, ids=name)
def test_loggedOut(command: type[Command[Any]]) -> None:
    """
    After a logout no proof of the session is good any more, and the code says
    so where the command is refused as for an ended session.
    """
    asker = Asker()

    def end(state: ServerState) -> None:
        session = state.sessions.existing(ALICE)
        assert session is not None
        state.sessions.end(session, EndReason.LOGGED_OUT)

    asker.harness.change(end)
    reply = asker.ask(command, "all")
    if command.authorization is not Authorization.NONE:
        refusal = REFUSED[command.authorization]
        ended = LOGGED_OUT if refusal is UNKNOWN else refusal
        assert reply == expected(command, ended)
    asker.close()
