"""
HTTP client of one account: sends commands over connections that are kept open,
files with treq.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from twisted.internet.defer import (
    Deferred,
    fail,
    gatherResults,
    maybeDeferred,
)
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.python.url import URL
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer

from txwebqq.errors import (
    CaptchaNeeded,
    Intercepted,
    InvalidConfiguration,
    MessageTooLong,
    NotSent,
    RequestRefused,
    SessionExpired,
    Unreachable,
    WebQQError,
)
from txwebqq.model import Number
from txwebqq.net.bodies import (
    BodyCollector,
    FileUpload,
    MultipartProducer,
    Sink,
    headerOf,
    readBody,
)
from txwebqq.net.cookies import CookieStore, StoredCookie
from txwebqq.net.encodedurl import encodedURL, isHost
from txwebqq.net.endpoints import EndpointCache
from txwebqq.net.failures import (
    NETWORK_ERRORS,
    decoded,
    raiseNotSent,
    raiseTimedOut,
    raiseUnreachable,
    unreachable,
)
from txwebqq.net.httpresponse import Response
from txwebqq.net.keepalive import NO_ADDRESS, KeepAliveClient
from txwebqq.net.requesthead import FORM, USER_AGENT, encodeRequest
from txwebqq.net.tls import policyFor
from txwebqq.net.treqsetup import LazyTreq, StaleConnection
from txwebqq.wire.command import (
    Command,
    Host,
    Refusal,
    printable,
    withTimestamp,
)
from txwebqq.wire.form import encodeForm
from txwebqq.wire.multipart import UploadCommand

R = TypeVar("R")

MAX_REPLY = 16 * 1024 * 1024
"""Maximum size of a reply that is kept in memory, in bytes."""

MAX_REDIRECTS = 4

CONNECT_TIMEOUT = 10
"""Seconds that connecting may take."""


class TreqLike(Protocol):
    """
    The part of treq that is used: its C{HTTPClient}, or a C{StubTreq}.
    """

    @property
    def request(self) -> Callable[..., Deferred[Any]]: ...


@dataclass(frozen=True)
class Servers:
    """
    The location of Tencent's historical hosts.

    @ivar base: the URL of the server that replaces all of them, L{None} for the
        hosts themselves.
    """

    base: str | None

    @classmethod
    def parse(cls, text: str) -> Servers:
        """
        Read the value of an option: a URL, or the word C{tencent}.

        @raise InvalidConfiguration: for any other value.
        """
        if text == "tencent":
            return cls(None)
        if "[" in text:
            # treq would encode an IPv6 address as an international name.
            raise InvalidConfiguration(
                f"server cannot be an IPv6 address, give it a name: {text}"
            )
        try:
            url = URL.fromText(text).asURI()
            isUsable = url.scheme.lower() in ("http", "https") and isHost(url.host)
            isUsable = isUsable and (url.port is None or 0 < url.port < 2**16)
            isUsable = isUsable and not (url.userinfo or url.query or url.fragment)
            isUsable = isUsable and text.isprintable() and " " not in text
        except ValueError:
            isUsable = False
        if not isUsable:
            # There may be a password before the host.
            shown = text.rpartition("@")[2]
            raise InvalidConfiguration(
                f"server is neither an http(s) URL nor 'tencent': {shown}"
            )
        if not text.isascii():
            text = url.asText()
        return cls(text.rstrip("?#").rstrip("/"))

    def locate(self, url: str) -> str:
        """
        Translate a URL of a historical host into the URL to request.
        """
        return url if self.base is None else self.base + urlsplit(url).path


class WebQQClient:
    """
    The HTTP client of one account.

    @param http: treq's C{HTTPClient}, or a C{StubTreq}.
    @param pool: the connection pool to close with L{close}; L{None} when the
        pool is shared with other clients.
    @param keepAlive: sends commands; L{None} to send them with C{http}, as files.
    """

    def __init__(
        self,
        http: TreqLike,
        servers: Servers,
        clock: IReactorTime,
        pool: LazyTreq | None = None,
        keepAlive: KeepAliveClient | None = None,
    ) -> None:
        self._keepAlive = keepAlive
        self._http = http
        self._servers = servers
        self._clock = clock
        self._pool = pool
        self._cookies = CookieStore()

    def ask(self, command: Command[R]) -> Deferred[R | Refusal]:
        """
        Send a command.

        @return: fires with the reply or the refusal; fails with
            L{MalformedReply} or L{Unreachable}. Cancel it to close the
            connection.
        """
        command = withTimestamp(command, int(self._clock.seconds() * 1000))
        if self._keepAlive is not None:
            return self._ask(self._keepAlive, command)
        exchanged = maybeDeferred(self._exchange, command)
        return exchanged.addTimeout(command.timeout, self._clock, raiseTimedOut)

    def call(self, command: Command[R]) -> Deferred[R]:
        """
        Send a command, and fail when the server refuses it.

        @return: as L{ask}, but fails with L{RequestRefused} or
            L{SessionExpired} for a refusal.
        """
        return self.ask(command).addCallback(accepted)

    def begin(self, number: Number) -> None:
        """
        Begin a sign-on: delete the cookies of the last one, and set the cookie
        of the account that signs on.
        """
        self._cookies.clear()
        self._cookies.set("chkuin", str(number), "ptlogin2.qq.com")

    def cookie(self, name: str) -> str:
        """
        Return the value of a cookie of C{.qq.com}, C{""} when there is none.
        """
        return self._cookies.value(name, ".qq.com")

    def storedCookies(self) -> tuple[StoredCookie, ...]:
        """
        Return all cookies, for L{restoreCookies}.
        """
        return self._cookies.stored()

    def restoreCookies(self, cookies: Sequence[StoredCookie]) -> None:
        """
        Go on with the cookies of an earlier process, after L{begin}.
        """
        self._cookies.restore(cookies)

    def keepTicket(self, ptwebqq: str) -> None:
        """
        Replace the cookie C{ptwebqq} of the login by a rotated one.
        """
        self._cookies.set("ptwebqq", ptwebqq, ".qq.com")

    def renewConnections(self) -> None:
        """
        Use no connection again that is open now.
        """
        if self._pool is not None:
            self._pool.close()
        if self._keepAlive is not None:
            self._keepAlive.renew()

    def close(self) -> Deferred[None]:
        """
        Close the connections that are idle or kept for polls.

        @return: fires when they are closed.
        """
        closing: list[Deferred[None]] = []
        if self._pool is not None:
            closing.append(self._pool.close())
        if self._keepAlive is not None:
            closing.append(self._keepAlive.close())
        return gatherResults(closing).addCallback(lambda _: None)

    def send(
        self, upload: UploadCommand[R], source: FileUpload
    ) -> Deferred[R | Refusal]:
        """
        Send a form with a file, which is read as fast as the connection takes
        it.

        @param source: the file; it is closed in the end, also after a failure.

        @return: as L{ask}.
        """
        upload = withTimestamp(upload, int(self._clock.seconds() * 1000))
        exchange = self._send(upload, source)
        sent = Deferred.fromCoroutine(exchange)
        return sent.addTimeout(upload.timeout, self._clock, raiseTimedOut).addBoth(
            source.closeAfter
        )

    def fetch(
        self, command: Command[bytes], sink: Sink, limit: int
    ) -> Deferred[int | Refusal]:
        """
        Send a command whose reply is a picture or a file, and write the reply
        to a sink as it arrives. Redirects are followed to the hosts of WebQQ
        only.

        @param limit: the maximum size of the reply, in bytes.

        @return: fires with the number of bytes, or with a refusal; fails as
            L{ask}.
        """
        command = withTimestamp(command, int(self._clock.seconds() * 1000))
        return Deferred.fromCoroutine(self._fetch(command, sink, limit)).addTimeout(
            command.timeout, self._clock, raiseTimedOut
        )

    async def _send(self, upload: UploadCommand[R], source: FileUpload) -> R | Refusal:
        form = MultipartProducer(upload, source)
        query = encodeForm(upload.encodeQuery()).decode("ascii")
        try:
            response = await self._open(
                upload, upload.url, query, form, form.contentType
            )
            body = await readBody(response, MAX_REPLY)
        except NETWORK_ERRORS as e:
            raise unreachable(e) from e
        return decoded(upload, response.code, body, self._servers.locate(upload.url))

    async def _fetch(
        self, command: Command[bytes], sink: Sink, limit: int
    ) -> int | Refusal:
        url, query = command.url, command.encodeForm().decode("ascii")
        try:
            for _ in range(MAX_REDIRECTS):
                response = await self._open(command, url, query)
                if response.code not in (301, 302, 303, 307):
                    break
                await readBody(response, MAX_REPLY)
                location = headerOf(response, "Location")
                try:
                    url, query = self._redirectTarget(urljoin(url, location))
                except ValueError as e:
                    raise Unreachable(f"redirected to a text: {NO_ADDRESS}") from e
            if response.code != 200:
                reason = f"the reply has status {response.code}"
                raise Unreachable(reason, response.code)
            kind = headerOf(response, "Content-Type")
            mayRefuse = not kind.startswith(("image/", "application/octet-stream"))
            receiver = BodyCollector(sink, limit, mayRefuse)
            response.deliverBody(receiver)
            return await receiver.whole
        except NETWORK_ERRORS as e:
            raise unreachable(e) from e

    def _redirectTarget(self, url: str) -> tuple[str, str]:
        """
        Translate the URL of a redirect into one of a historical host, and its
        query.

        @raise Unreachable: for another host.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        isOurs = host == "qq.com" or host.endswith(".qq.com")
        base = self._servers.base
        if not isOurs and (base is None or parts.netloc != urlsplit(base).netloc):
            raise Unreachable("redirected to a host that does not belong to WebQQ")
        if not isOurs:
            host = Host.FILE.value
        scheme = "https" if parts.scheme == "https" else "http"
        return f"{scheme}://{host}{parts.path or '/'}", parts.query

    def _ask(
        self, keepAlive: KeepAliveClient, command: Command[R]
    ) -> Deferred[R | Refusal]:
        try:
            form = command.encodeForm()
        except Exception:
            # The application may have given values of any type.
            return fail()
        try:
            # Cookies belong to the historical hosts, also with another base URL.
            historical = command.url
            server, request = encodeRequest(
                command.method,
                self._servers.locate(historical),
                command.referer,
                self._cookies.header(historical),
                form,
            )
        except ValueError:
            # A login may lead to any text.
            return fail(NotSent(NO_ADDRESS))
        asked: Deferred[Any] = keepAlive.send(
            server, request, command.isIdempotent, command.timeout
        )
        return asked.addCallbacks(self._cbReplied, raiseUnreachable, (command,))

    def _cbReplied(self, response: Response, command: Command[R]) -> R | Refusal:
        url = self._servers.locate(command.url)
        try:
            return decoded(
                command, response.status, response.body, url, response.location
            )
        except Intercepted:
            # Nor are its cookies the server's.
            response.cookies = []
            raise
        finally:
            if response.cookies:
                self._cookies.keep(command.url, response.cookies)

    def _exchange(self, command: Command[R]) -> Deferred[R | Refusal]:
        form = command.encodeForm()
        if command.method == "POST":
            opened = self._open(command, command.url, "", form, FORM)
        else:
            opened = self._open(command, command.url, form.decode("ascii"))
        status, location = 0, ""

        def responded(response: Any) -> Deferred[bytes]:
            nonlocal status, location
            status, location = response.code, headerOf(response, "Location")
            return readBody(response, MAX_REPLY)

        def answered(body: bytes) -> R | Refusal:
            url = self._servers.locate(command.url)
            return decoded(command, status, body, url, location)

        body = opened.addCallback(responded)
        exchanged: Deferred[R | Refusal] = body.addCallbacks(answered, raiseUnreachable)
        return exchanged

    def _open(
        self,
        command: Command[Any],
        historical: str,
        query: str,
        data: bytes | IBodyProducer | None = None,
        kind: str | None = None,
    ) -> Deferred[Any]:
        """
        Send a request, and send it again on a new connection if it was lost
        with a kept one and its command is idempotent.

        @return: fires with the response, whose body has not been read.
        """
        url = self._servers.locate(historical)
        if query:
            url = f"{url}?{query}"
        headers = Headers({"User-Agent": [USER_AGENT]})
        if command.referer is not None:
            headers.setRawHeaders("Referer", [command.referer.value])
        if kind is not None:
            headers.setRawHeaders("Content-Type", [kind])
        # Cookies belong to the historical hosts, also with another base URL.
        cookies = self._cookies.header(historical)
        if cookies:
            headers.setRawHeaders(b"Cookie", [cookies])

        def responded(response: Any) -> Any:
            values = response.headers.getRawHeaders(b"Set-Cookie", [])
            kept = (value.decode("latin-1") for value in values)
            self._cookies.keep(historical, kept)
            return response

        def send() -> Deferred[Any]:
            return self._http.request(
                command.method,
                encodedURL(url),
                headers=headers,
                data=data,
                allow_redirects=False,
                unbuffered=True,
                reactor=self._clock,
            )

        def again(failure: Failure) -> Deferred[Any]:
            failure.trap(StaleConnection)
            return send()

        if self._pool is not None and not command.isIdempotent:
            self._pool.closeUntried()
        try:
            asked = send()
        except ValueError:
            # A redirect may lead to any text.
            return fail(NotSent(NO_ADDRESS))
        if command.isIdempotent:
            asked.addErrback(again)
        return asked.addCallbacks(responded, raiseNotSent)


def accepted(reply: R | Refusal) -> R:
    """
    Return a reply.

    @raise RequestRefused: for a refusal (protocol.md 6), or the exception that
        L{refusalError} makes of it.
    """
    if isinstance(reply, Refusal):
        raise refusalError(reply)
    return reply


def refusalError(refusal: Refusal) -> WebQQError:
    """
    Make the exception for a refusal (protocol.md 6).
    """
    code, text = refusal.retcode, printable(refusal.errmsg)
    more = f": {text}" if text else ""
    match code:
        case 100 | 103 | 108 | 120 | 121 | 100006 | 100012:
            return SessionExpired(f"the session is not valid: {refusal.reason}", code)
        case 123:
            return MessageTooLong(code, f"the message is too long{more}")
        case 1000 | 1001 | 100102 | 100110:
            return CaptchaNeeded(code, f"the server asks for a captcha{more}")
    return RequestRefused(code, text or "the server refused")


def connect(reactor: Any, url: str, caFile: str | None = None) -> WebQQClient:
    """
    Make a client with its own connections.

    @param url: the URL of the server, or C{tencent}.
    @param caFile: the name of a PEM file with certificate authorities to trust
        besides those of the system.

    @raise InvalidConfiguration: when the URL or the file cannot be used.
    """
    servers = Servers.parse(url)
    endpoints = EndpointCache(reactor, policyFor(caFile), CONNECT_TIMEOUT)
    files = LazyTreq(reactor, endpoints)
    keepAlive = KeepAliveClient(endpoints.endpointFor, MAX_REPLY, reactor)
    return WebQQClient(files, servers, reactor, files, keepAlive)
