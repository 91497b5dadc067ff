"""
The client: one request and its answer, with all failures of the network.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any, cast

import pytest
from hyperlink import EncodedURL
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.web.client import URI
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from tests.memoryendpoint import MemoryEndpoint
from tests.rig import HTML, CapturedLog, Reply, disconnect, truncate
from txwebqq.client import (
    MAX_REPLY,
    Servers,
    TreqLike,
    WebQQClient,
    accepted,
    connect,
    refusalError,
)
from txwebqq.errors import (
    Intercepted,
    InvalidConfiguration,
    MalformedReply,
    MessageTooLong,
    RequestRefused,
    SessionExpired,
    Unreachable,
    WebQQError,
)
from txwebqq.model import Number, Text, Uin
from txwebqq.net.bodies import BufferSink
from txwebqq.net.keepalive import KeepAliveClient
from txwebqq.testing import BASE, MemoryTreq
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.contacts import GetUserFriends2
from txwebqq.wire.commands.groups import SearchGroups
from txwebqq.wire.commands.messages import (
    GetMsgTip,
    GetOnlineBuddies2,
    Poll2,
    PollResult,
    SendBuddyMsg2,
)
from txwebqq.wire.commands.profiles import SetLongNick2
from txwebqq.wire.commands.signon import (
    Check,
    CheckSig,
    GetImage,
    Login,
    Login2,
    Logout2,
)
from txwebqq.wire.form import Ticket

NUMBER = Number(300100200)
TICKET = Ticket("47283951", "ps", "vf", "pt")
EMPTY = b'{"retcode":0,"result":[]}'
BUDDIES = GetOnlineBuddies2(TICKET)


class Seen:
    """
    A request as the server saw it.
    """

    def __init__(self, request: Request) -> None:
        assert request.content is not None
        self.method = request.method.decode()
        self.host = request.getHeader("Host")
        self.path, _, self.query = request.uri.decode().partition("?")
        self.body = request.content.read().decode()
        self.referer = request.getHeader("Referer")
        self.contentType = request.getHeader("Content-Type")
        cookies = request.getHeader("Cookie") or ""
        parts = [part.strip().partition("=") for part in cookies.split(";")]
        self.cookies = {name: value for name, _, value in parts if name}


class Script(Resource):
    """
    Answers as told, with C{EMPTY} after that.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self.answers: list[Reply] = []
        self.gone = 0

    def render(self, request: Request) -> bytes | int:
        self.seen.append(Seen(request))
        answer = self.answers.pop(0) if self.answers else EMPTY
        if callable(answer):
            return answer(request)
        if answer == NOT_DONE_YET:
            request.notifyFinish().addErrback(self._left)
        elif isinstance(answer, int):
            request.setResponseCode(answer)
            return HTML
        return answer

    def _left(self, failure: Failure) -> None:
        self.gone += 1


class ClientScene:
    """
    A client of a script.

    @param usesTreq: whether the client sends commands by treq, as in memory;
        otherwise over connections that are kept open, as in a network.
    """

    def __init__(self, base: str | None = BASE, usesTreq: bool = True) -> None:
        self._usesTreq = usesTreq
        self.script = Script()
        self.treq = MemoryTreq(self.script)
        self.endpoint = MemoryEndpoint(self.script)
        self.clock = Clock()
        self.clock.advance(1366004000)
        self.client = self.other(base)

    def other(self, base: str | None = BASE) -> WebQQClient:
        """
        Another account's client.
        """
        keepAlive = None
        if not self._usesTreq:
            keepAlive = KeepAliveClient(self.endpoint.find, MAX_REPLY, self.clock)
        http = cast(TreqLike, self.treq)
        return WebQQClient(http, Servers(base), self.clock, keepAlive=keepAlive)

    def flush(self) -> None:
        """
        Deliver the data that was written.
        """
        self.treq.flush()
        self.endpoint.flush()

    def ask(self, command: Command[Any], *answers: Reply) -> list[Any]:
        """
        Ask a command; return its result, or nothing while there is none.
        """
        self.script.answers = list(answers)
        results: list[Any] = []
        self.client.ask(command).addBoth(results.append)
        self.flush()
        return results

    def fails(self, command: Command[Any], *answers: Reply) -> Exception:
        """
        Ask a command that fails; return the error.
        """
        [failure] = self.ask(command, *answers)
        assert isinstance(failure, Failure)
        assert isinstance(failure.value, Exception)
        self.client.close()
        assert self.clock.getDelayedCalls() == []
        return failure.value

    @property
    def seen(self) -> Seen:
        """
        The last request.
        """
        return self.script.seen[-1]


@pytest.fixture(params=[True, False], ids=["treq", "kept"])
def usesTreq(request: pytest.FixtureRequest) -> bool:
    """
    Each way to send commands.
    """
    return bool(request.param)


@pytest.fixture
def scene(usesTreq: bool) -> ClientScene:
    """
    A client whose server answers with nothing.
    """
    return ClientScene(usesTreq=usesTreq)


def cookies(*lines: str, body: bytes = EMPTY) -> Callable[[Request], bytes]:
    """
    An answer that sets cookies.
    """

    def answer(request: Request) -> bytes:
        for line in lines:
            request.responseHeaders.addRawHeader("Set-Cookie", line)
        return body

    return answer


# ---- where to


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("tencent", None),
        ("http://127.0.0.1:8890", "http://127.0.0.1:8890"),
        ("http://127.0.0.1:8890/", "http://127.0.0.1:8890"),
        ("https://chat.example.org", "https://chat.example.org"),
        ("https://chat.example.org/qq/", "https://chat.example.org/qq"),
        ("HTTP://LOCALHOST", "HTTP://LOCALHOST"),
        ("http://münchen.example/茶", "http://xn--mnchen-3ya.example/%E8%8C%B6"),
        ("http://example.org/?", "http://example.org"),
        ("http://example.org#", "http://example.org"),
    ],
)
def test_servers(text: str, base: str | None) -> None:
    """
    A server is a URL, or the word for the historical hosts.
    """
    assert Servers.parse(text).base == base


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "example.org:8890",
        "ftp://example.org",
        "http://",
        "http://:8890",
        "http://example.org:port",
        "http://example.org:0",
        "http://example.org:65536",
        "http://exa mple.org",
        "http://example.org/a b",
        "http://example.org\n",
        " http://example.org",
        "http://example.org/?a=b",
        "http://example.org/#a",
        "http://me:secret@example.org",
        "http://..",
        "http://" + "a" * 64 + ".org",
        "http://example.org/\ud800",
        "http://%zz",
        "Tencent",
    ],
)
def test_badServers(text: str) -> None:
    """
    Anything else is refused, with a word about what was given.
    """
    with pytest.raises(InvalidConfiguration, match="server is neither") as caught:
        Servers.parse(text)
    assert "secret" not in str(caught.value)


def test_addressOfSix() -> None:
    """
    treq cannot ask an IPv6 address, so it has to have a name.
    """
    with pytest.raises(InvalidConfiguration, match="give it a name"):
        Servers.parse("http://[::1]:8890")


@given(st.text(max_size=30), st.sampled_from(["http://", "https://", ""]))
def test_anyServers(text: str, scheme: str) -> None:
    """
    An accepted server URL can be requested by treq and by the connection for
    polls; any other fails with L{InvalidConfiguration}.
    """
    try:
        servers = Servers.parse(scheme + text)
    except InvalidConfiguration:
        return
    url = servers.locate(BUDDIES.url)
    EncodedURL.from_text(url).to_uri()
    URI.fromBytes(url.encode("ascii"))


def test_locate() -> None:
    """
    All hosts become the one of the server URL, below its path; without a server
    URL they stay.
    """
    url = "http://d.web2.qq.com/channel/poll2"
    assert Servers("http://a/b").locate(url) == "http://a/b/channel/poll2"
    assert Servers(None).locate(url) == url


BYTES = cast(str, b"bytes")


@pytest.mark.parametrize(
    "command",
    [
        SearchGroups(Ticket(), BYTES),
        SetLongNick2(Ticket(), BYTES),
        SendBuddyMsg2(Ticket(), Uin(7), (Text(BYTES),), 1),
    ],
)
def test_notAsked(scene: ClientScene, command: Command[object]) -> None:
    """
    A command that cannot be encoded, in a query, as JSON or as JSON inside of JSON,
    fails through its Deferred, and is not sent.
    """
    assert isinstance(scene.fails(command), TypeError)
    assert scene.script.seen == []


def test_question(scene: ClientScene) -> None:
    """
    A GET has its fields and the time in the query, and a Referer.
    """
    assert scene.ask(BUDDIES) == [()]
    seen = scene.seen
    assert (seen.method, seen.host) == ("GET", "webqq.test")
    assert seen.path == "/channel/get_online_buddies2"
    assert seen.query == "clientid=47283951&psessionid=ps&t=1366004000000"
    assert seen.referer == (
        "http://d.web2.qq.com/proxy.html?v=20110331002&callback=1&id=3"
    )
    assert seen.body == ""


def test_form(scene: ClientScene) -> None:
    """
    A POST has them in a form.
    """
    assert scene.ask(Poll2(TICKET)) == [PollResult()]
    seen = scene.seen
    assert (seen.method, seen.query) == ("POST", "")
    assert seen.contentType == "application/x-www-form-urlencoded"
    assert seen.body.startswith("r=%7B%22clientid%22%3A%2247283951%22%2C")
    assert seen.body.endswith("&clientid=47283951&psessionid=ps")


def test_tencent(usesTreq: bool) -> None:
    """
    The historical hosts are asked by their names.
    """
    scene = ClientScene(None, usesTreq)
    for command, host in (
        (BUDDIES, "d.web2.qq.com"),
        (GetUserFriends2(TICKET), "s.web2.qq.com"),
        (Check("300100200"), "check.ptlogin2.qq.com"),
    ):
        scene.ask(command)
        assert scene.seen.host == host


# ---- cookies


def test_cookies(scene: ClientScene) -> None:
    """
    Cookies of qq.com go to all hosts that are, wherever they are now; those
    of one host to that one.
    """
    scene.client.begin(NUMBER)
    scene.ask(
        Login(str(NUMBER), "digest", "!ABC"),
        cookies(
            "ptwebqq=pt1; PATH=/; DOMAIN=qq.com;",
            "skey=@abc; PATH=/; DOMAIN=.qq.com;",
            "mine=1; PATH=/",
            "elsewhere=1; PATH=/; DOMAIN=example.org;",
            "page=1; PATH=/login",
            body=b"ptuiCB('0','0','','0','ok', 'n');",
        ),
    )
    assert scene.client.cookie("ptwebqq") == "pt1"
    assert scene.client.cookie("skey") == "@abc"
    assert scene.client.cookie("mine") == ""
    for command in (BUDDIES, GetUserFriends2(TICKET), GetMsgTip()):
        scene.ask(command)
        assert scene.seen.cookies == {"ptwebqq": "pt1", "skey": "@abc"}
    scene.ask(Login(str(NUMBER), "digest", "!ABC"))
    assert scene.seen.cookies == {
        "chkuin": str(NUMBER),
        "ptwebqq": "pt1",
        "skey": "@abc",
        "mine": "1",
        "page": "1",
    }


def test_chkuin(scene: ClientScene) -> None:
    """
    Before anything else the account's number is a cookie of the login hosts,
    and of no other.
    """
    scene.client.begin(NUMBER)
    for command in (Check(str(NUMBER)), Login(str(NUMBER), "digest", "!ABC")):
        scene.ask(command)
        assert scene.seen.cookies == {"chkuin": str(NUMBER)}
    scene.ask(BUDDIES)
    assert scene.seen.cookies == {}


def test_begin(scene: ClientScene) -> None:
    """
    A new sign-on knows nothing of the last one, wherever its cookies came
    from.
    """
    scene.ask(BUDDIES, cookies("a=1; PATH=/; DOMAIN=qq.com;", "b=1; PATH=/"))
    scene.client.begin(NUMBER)
    scene.ask(BUDDIES)
    assert scene.seen.cookies == {}
    assert scene.client.cookie("a") == ""


def test_beginAtTencent(usesTreq: bool) -> None:
    """
    A new sign-on has no cookies of the last one at the historical hosts, too.
    """
    scene = ClientScene(None, usesTreq)
    scene.ask(BUDDIES, cookies("a=1; PATH=/; DOMAIN=qq.com;", "b=1; PATH=/"))
    scene.ask(BUDDIES)
    assert scene.seen.cookies == {"a": "1", "b": "1"}
    scene.client.begin(NUMBER)
    scene.ask(BUDDIES)
    assert scene.seen.cookies == {}


def test_notShared(scene: ClientScene) -> None:
    """
    Accounts share no cookies.
    """
    scene.ask(BUDDIES, cookies("a=1; PATH=/; DOMAIN=qq.com;", "b=1; PATH=/"))
    scene.other().ask(BUDDIES)
    scene.flush()
    assert scene.seen.cookies == {}


def test_keepTicket(scene: ClientScene) -> None:
    """
    A rotated ptwebqq takes the place of the one that the login set.
    """
    scene.ask(BUDDIES, cookies("ptwebqq=old; PATH=/; DOMAIN=qq.com;"))
    scene.client.keepTicket("new")
    scene.ask(BUDDIES)
    assert scene.seen.cookies == {"ptwebqq": "new"}
    assert scene.client.cookie("ptwebqq") == "new"


@pytest.mark.parametrize(
    "line",
    ["", "=", ";;;", "a", "a=\xff; DOMAIN=qq.com", "a=1; EXPIRES=never; DOMAIN=qq.com"],
)
def test_oddCookies(scene: ClientScene, line: str) -> None:
    """
    Odd cookies do not stand in the way of the answer.
    """
    assert scene.ask(BUDDIES, cookies(line)) == [()]
    assert scene.ask(BUDDIES) == [()]


def test_redirectSetsCookies(scene: ClientScene) -> None:
    """
    A landing page that redirects is not followed, but sets its cookies.
    """

    def redirect(request: Request) -> bytes:
        request.setResponseCode(302)
        request.setHeader("Location", "http://elsewhere.example/")
        return cookies("p_skey=1; PATH=/; DOMAIN=web2.qq.com;", body=b"0")(request)

    landing = CheckSig("http://ptlogin4.web2.qq.com/check_sig?ptsigx=1%2F2&a=")
    scene.fails(landing, redirect)
    assert (scene.seen.path, scene.seen.query) == ("/check_sig", "ptsigx=1%2F2&a=")
    assert len(scene.script.seen) == 1
    scene.ask(BUDDIES)
    assert scene.seen.cookies == {"p_skey": "1"}


# ---- trouble


@pytest.mark.parametrize("status", [204, 301, 302, 404, 500, 502, 503, 504])
def test_status(scene: ClientScene, status: int) -> None:
    """
    Another status than 200 is no answer, and the error tells it.
    """
    trouble = scene.fails(BUDDIES, status)
    assert isinstance(trouble, Unreachable)
    assert trouble.status == status
    assert str(status) in str(trouble)


@pytest.mark.parametrize("command", [BUDDIES, Login2(TICKET), Check("1")])
@pytest.mark.parametrize("answer", [b"", b"{", b"<a>", b"[]", b"\xff\xfe", b"null"])
def test_malformed(scene: ClientScene, command: Command[Any], answer: bytes) -> None:
    """
    An answer that is not WebQQ's fails with an error that says so, and for which
    request it came.
    """
    trouble = scene.fails(command, answer)
    assert isinstance(trouble, MalformedReply)
    assert str(trouble).startswith(f"{command.endpointName}: ")


def redirect(location: str, status: int = 302) -> Callable[[Request], bytes]:
    """
    A reply that leads to another address, with a cookie.
    """

    def reply(request: Request) -> bytes:
        request.setResponseCode(status)
        request.setHeader("Location", location)
        request.setHeader("Set-Cookie", "ptwebqq=theirs; domain=qq.com; path=/")
        return b""

    return reply


PORTAL = (
    b"\xef\xbb\xbf\r\n<!DOCTYPE html><html><title>Hotel</title>"
    b'<form action="/login"><input name="password"></form></html>'
)
"""The page of a network that wants a login."""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (HTML, "an HTML page of webqq.test instead of a reply: a captive portal or a"),
        (PORTAL, "an HTML page of webqq.test instead of a reply"),
        (
            redirect("http://login.hotel.example/?to=x"),
            "a redirect (302) to login.hot",
        ),
        (redirect("//login.hotel.example/", 307), "a redirect (307) to login.hotel."),
        (redirect("https://webqq.test/x"), "a redirect (302) to https of webqq"),
        (redirect("/login?session=1", 303), "a redirect (303) to another page"),
        (redirect("http://[/"), "a redirect (302) to another page"),
        (511, "status 511: the network wants a login in a browser"),
        (407, "status 407: the proxy wants a login"),
    ],
)
@pytest.mark.parametrize(
    "command", [Poll2(TICKET), Login("1", "D", "C"), GetImage("1")]
)
def test_intercepted(
    scene: ClientScene, command: Command[Any], answer: Reply, words: str
) -> None:
    """
    A page or a redirect in the place of a reply is trouble with the network, which
    names the host. The redirect is not followed.
    """
    trouble = scene.fails(command, answer)
    assert isinstance(trouble, Intercepted)
    assert str(trouble).startswith(words)
    assert len(scene.script.seen) == 1


def test_foreignCookies() -> None:
    """
    A page in the place of a reply does not change the cookies, which are part of the
    session.
    """
    scene = ClientScene(usesTreq=False)
    scene.client.keepTicket("ours")
    trouble = scene.fails(BUDDIES, redirect("http://login.hotel.example/"))
    assert isinstance(trouble, Intercepted)
    assert scene.client.cookie("ptwebqq") == "ours"


@pytest.mark.parametrize("answer", [truncate, disconnect])
def test_broken(scene: ClientScene, answer: Reply) -> None:
    """
    A connection that breaks before the answer is whole is trouble with the
    network.
    """
    trouble = scene.fails(BUDDIES, answer)
    assert isinstance(trouble, Unreachable)
    assert trouble.status is None


def squeezed(data: bytes) -> Callable[[Request], bytes]:
    """
    An answer that says it is compressed.
    """

    def answer(request: Request) -> bytes:
        request.setHeader("Content-Encoding", "gzip")
        return data

    return answer


def test_compressed(scene: ClientScene) -> None:
    """
    A compressed answer is read.
    """
    assert scene.ask(BUDDIES, squeezed(gzip.compress(EMPTY, mtime=0))) == [()]


@pytest.mark.parametrize(
    "data", [EMPTY, gzip.compress(EMPTY, mtime=0)[:-12], b"\x1f\x8b"]
)
def test_badlyCompressed(scene: ClientScene, data: bytes) -> None:
    """
    A broken compressed answer is an error.
    """
    trouble = scene.fails(BUDDIES, squeezed(data))
    assert isinstance(trouble, (Unreachable, MalformedReply))


@pytest.mark.parametrize("isCompressed", [False, True])
def test_tooLong(scene: ClientScene, isCompressed: bool) -> None:
    """
    An answer that would fill the memory is refused, and its connection closed.
    """
    data = b" " * (MAX_REPLY + 1)
    answer = squeezed(gzip.compress(data, mtime=0)) if isCompressed else data
    trouble = scene.fails(BUDDIES, answer)
    assert isinstance(trouble, Unreachable)
    assert f"more than {MAX_REPLY} bytes" in str(trouble)


def test_endless(scene: ClientScene) -> None:
    """
    An answer that never ends is refused, and its connection closed.
    """
    left: list[object] = []

    def pour(request: Request) -> int:
        request.write(b" " * (MAX_REPLY + 1))
        request.notifyFinish().addErrback(left.append)
        return NOT_DONE_YET

    assert isinstance(scene.fails(BUDDIES, pour), Unreachable)
    scene.flush()
    assert len(left) == 1


def test_longest(scene: ClientScene) -> None:
    """
    An answer of exactly the maximum size is read.
    """
    data = EMPTY + b" " * (MAX_REPLY - len(EMPTY))
    assert scene.ask(BUDDIES, data) == [()]


@pytest.mark.parametrize(
    ("command", "patience"), [(BUDDIES, 30), (Poll2(TICKET), 90), (Login2(TICKET), 60)]
)
def test_silence(scene: ClientScene, command: Command[Any], patience: int) -> None:
    """
    A question that is not answered in time fails, and its connection is
    closed.
    """
    results = scene.ask(command, NOT_DONE_YET)
    scene.clock.advance(patience - 1)
    assert results == []
    scene.clock.advance(1)
    [failure] = results
    assert failure.check(Unreachable)
    assert f"{patience} s" in str(failure.value)
    scene.flush()
    assert scene.script.gone == 1
    assert scene.clock.getDelayedCalls() == []


def test_slowBody(scene: ClientScene) -> None:
    """
    A request whose answer begins in time and does not end fails.
    """

    def begin(request: Request) -> int:
        request.write(b"{")
        request.notifyFinish().addErrback(lambda _: None)
        return NOT_DONE_YET

    results = scene.ask(BUDDIES, begin)
    scene.clock.advance(30)
    [failure] = results
    assert failure.check(Unreachable)
    assert scene.clock.getDelayedCalls() == []


@pytest.mark.parametrize("begun", [False, True])
def test_cancel(scene: ClientScene, begun: bool) -> None:
    """
    Cancelling a request closes its connection.
    """
    left: list[object] = []

    def hold(request: Request) -> int:
        if begun:
            request.write(b"{")
        request.notifyFinish().addErrback(left.append)
        return NOT_DONE_YET

    scene.script.answers = [hold]
    results: list[Any] = []
    asked = scene.client.ask(BUDDIES)
    asked.addBoth(results.append)
    scene.flush()
    asked.cancel()
    scene.flush()
    [failure] = results
    assert failure.check(Unreachable, CancelledError)
    assert len(left) == 1
    assert scene.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "landing",
    [
        "ftp://ptlogin4.web2.qq.com/check_sig",
        "javascript://ptlogin4.web2.qq.com/%0aalert(1)",
        "http://ptlogin4.web2.qq.com:port/check_sig",
        "http://ptlogin4.web2.qq.com:99999/check_sig",
        "http://ptlogin4 .web2.qq.com/check_sig",
        "http://ptlogin4.web2.qq.com/check sig?a=\n",
        "http://" + "a" * 70 + ".qq.com/",
        "http://xn--a.qq.com/",
        "//ptlogin4.web2.qq.com/check_sig",
    ],
)
@pytest.mark.parametrize("base", [None, BASE])
def test_oddLandings(landing: str, base: str | None, usesTreq: bool) -> None:
    """
    A landing page whose address is odd is asked, or fails like a network.
    """
    scene = ClientScene(base, usesTreq)
    [result] = scene.ask(CheckSig(landing), b"0")
    assert result is None or isinstance(result.value, WebQQError)


@pytest.mark.parametrize(
    "host",
    [
        "ptlogin4.web2.qq.com:port",
        "ptlogin4.web2.qq.com:99999",
        "a" * 70 + ".qq.com",
        "xn--a.qq.com",
        "x_y.qq.com",
        "*.qq.com",
        ".qq.com",
        "a..qq.com",
        "a%00b.qq.com",
        "me:secret@x.qq.com",
        "\u00ad.qq.com",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_oddHosts(scheme: str, host: str) -> None:
    """
    The name of a host that is none fails like a network, over connections as they
    are made for a network.
    """
    reactor = MemoryReactorClock()
    client = connect(reactor, "tencent")
    results: list[Any] = []
    client.ask(CheckSig(f"{scheme}://{host}/check_sig")).addBoth(results.append)
    reactor.advance(30)
    [failure] = results
    assert failure.check(WebQQError)
    client.close()
    assert reactor.getDelayedCalls() == []


def test_malformedForm() -> None:
    """
    An error in the application's values stays what it is.
    """

    class Odd(SearchGroups):
        def encodeForm(self) -> bytes:
            raise ValueError("of the application")

    scene = ClientScene(usesTreq=False)
    [failure] = scene.ask(Odd(Ticket(), "x"))
    assert failure.check(ValueError)


def test_oddRedirect(scene: ClientScene) -> None:
    """
    A redirect of a picture to a text that is no URL fails like a network.
    """

    def redirect(request: Request) -> bytes:
        request.setResponseCode(302)
        request.setHeader("Location", "http://[::1.qq.com/")
        return b""

    scene.script.answers = [redirect]
    results: list[Any] = []
    command = GetImage(str(NUMBER), "0.5")
    scene.client.fetch(command, BufferSink(), 100).addBoth(results.append)
    scene.flush()
    [failure] = results
    assert failure.check(Unreachable)


# ---- refusals


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (100, SessionExpired),
        (103, SessionExpired),
        (108, SessionExpired),
        (120, SessionExpired),
        (121, SessionExpired),
        (100006, SessionExpired),
        (100012, SessionExpired),
        (123, MessageTooLong),
        (99, RequestRefused),
        (-1, RequestRefused),
    ],
)
def test_refusals(scene: ClientScene, code: int, kind: type[Exception]) -> None:
    """
    The class of error for a refusal depends on its code, which the error keeps.
    """
    scene.script.answers = [b'{"retcode":%d,"errmsg":"no"}' % code]
    results: list[Any] = []
    scene.client.call(BUDDIES).addBoth(results.append)
    scene.flush()
    [failure] = results
    assert type(failure.value) is kind
    assert isinstance(failure.value, (RequestRefused, SessionExpired))
    assert failure.value.retcode == code
    assert str(code) in str(failure.value)


def test_askPassesRefusals(scene: ClientScene) -> None:
    """
    A caller of C{ask} gets a refusal as a result, not as an error.
    """
    assert scene.ask(BUDDIES, b'{"retcode":121,"t":"3"}') == [Refusal(121, seconds=3.0)]
    assert accepted("x") == "x"
    assert isinstance(refusalError(Refusal(121)), SessionExpired)


# ---- connections


def test_close(scene: ClientScene) -> None:
    """
    Without connections of its own a client is closed at once.
    """
    results: list[object] = []
    scene.client.close().addBoth(results.append)
    assert results == [None]


@pytest.mark.parametrize("url", ["http://", "nonsense"])
def test_connectBadly(url: str) -> None:
    """
    A client is not made for what is no server.
    """
    with pytest.raises(InvalidConfiguration, match="server"):
        connect(Clock(), url)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot read .*ca.pem: No such file"),
        (b"", "holds no certificate"),
        (b"not PEM", "holds no certificate"),
        (
            b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
            "holds a broken certificate",
        ),
        (b"-----END CERTIFICATE-----\n", "holds a broken certificate"),
    ],
)
def test_badAuthorities(tmp_path: Any, content: bytes | None, complaint: str) -> None:
    """
    A file of authorities has to hold some, and the error names it.
    """
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidConfiguration, match=complaint):
        connect(Clock(), "https://localhost", str(file))


def test_authoritiesFolder(tmp_path: Any) -> None:
    """
    A folder is none.
    """
    with pytest.raises(InvalidConfiguration, match="Is a directory"):
        connect(Clock(), "https://localhost", str(tmp_path))


def test_noSecretsInErrors(scene: ClientScene) -> None:
    """
    However a question fails, neither error nor log tells what it carried.
    """
    secrets = ("THEDIGEST", "THEPSESSION", "THEVFWEBQQ", "THEPTWEBQQ")
    ticket = Ticket("1", "THEPSESSION", "THEVFWEBQQ", "THEPTWEBQQ")
    commands: tuple[Command[Any], ...] = (
        Login("1", "THEDIGEST", "!ABC"),
        Login2(ticket),
        Poll2(ticket),
        GetUserFriends2(ticket),
        Logout2(ticket),
        GetImage("1"),
    )
    troubles: tuple[Reply, ...] = (
        truncate,
        disconnect,
        HTML,
        500,
        b"{}",
        b'{"retcode":5}',
    )
    texts = []
    with CapturedLog() as logged:
        for command in commands:
            for trouble in troubles:
                for result in scene.ask(command, trouble):
                    texts.append(repr(result))
                    if isinstance(result, Failure):
                        texts.append(result.getTraceback(detail="verbose"))
    text = "\n".join(texts) + logged.text
    for secret in secrets:
        assert secret not in text
