"""
Hostile HTTP: heads and bodies of requests and replies.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.fuzz.hostile import cuts, damage, one, segments, text

LENGTH = b"{length}"
"""The text that stands in a head for the length of the body."""

Message = tuple[str, bytes, bytes, tuple[int, ...]]
"""The framing of the body (C{"length"} or C{"chunked"}), the head, the body, and the
sizes of the segments."""

HEADERS = (
    b"Content-Length: {length}",
    b"Content-Length: +{length}",
    b"Content-Length: 0x10",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"content-length: {length}, {length}",
    b"Content-Length:",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Expect: 100-continue",
    b"Connection: close",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket",
    b"Upgrade: h2c",
    b"Host: a\r\nHost: b",
    b"Host: [::1]:x",
    b"Host:",
    b"Cookie: skey=; uin=o1; ptwebqq=\xff; a; =; a=b=c",
    b"Set-Cookie: ptwebqq=\xff; Domain=qq.com; Path=/; Expires=x",
    b"Set-Cookie: =; Max-Age=99999999999999999999; Domain=..",
    b"Set-Cookie: uin=1; Expires=Thu, 99-Jan-9999 25:61:61 GMT",
    b"Content-Type: multipart/form-data; boundary=",
    b'Content-Type: multipart/form-data; boundary="a\r\n b"',
    b"Content-Type: multipart/form-data",
    b"Content-Type: application/x-www-form-urlencoded; charset=utf-7",
    b"Content-Type: application/json; charset=\xff",
    b"Content-Encoding: gzip",
    b"Content-Encoding: deflate, gzip",
    b"Range: bytes=5-1,-0",
    b"Range: bytes=99999999999999999999-",
    b"If-Modified-Since: x",
    b"X-Forwarded-For: \xff, ::, 1.2.3.4.5",
    b"Referer: \xff",
    b"Origin: null",
    b"Authorization: Basic x",
    b"Authorization: Bearer \xff",
    b"Location: http://[/",
    b"Location: //",
    b"no colon",
    b" folded",
    b": empty",
    b"A: " + b"x" * 5000,
    b"\xff\xfe: \xff",
    b"Content Length: 5",
)

METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"TRACE", b"get", b"", b"\xff")

VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"http/1.1", b"")


def head(random: Random, first: bytes, headers: Mapping[bytes, bytes]) -> bytes:
    """
    Return a head with more headers, missing ones, and other ends of lines.
    """
    lines = [b"%s: %s" % pair for pair in headers.items() if random.random() < 0.97]
    if random.random() < 0.4:
        lines.insert(random.randrange(len(lines) + 1), one(random, HEADERS))
    end = b"\n" if random.random() < 0.03 else b"\r\n"
    data = end.join([first, *lines, b"", b""])
    return damage(random, data) if random.random() < 0.08 else data


def request(
    random: Random,
    method: bytes,
    target: bytes,
    body: bytes,
    headers: Mapping[bytes, bytes],
) -> Message:
    """
    Return a request that is mostly well-formed.
    """
    if random.random() < 0.06:
        method = one(random, METHODS)
    if random.random() < 0.06:
        target = one(
            random,
            (b"http://x" + target, b"//" + target, target[1:], b"*", b"/" * 3000, b""),
        )
    if random.random() < 0.05:
        target = damage(random, target)
    version = b"HTTP/1.1" if random.random() < 0.95 else one(random, VERSIONS)
    isChunked = random.random() < 0.06
    length = {b"Transfer-Encoding": b"chunked"} if isChunked else {}
    if body and not isChunked:
        length = {b"Content-Length": LENGTH}
    first = b" ".join((method, target, version))
    return (
        "chunked" if isChunked else "length",
        head(random, first, {b"Host": b"localhost", **headers, **length}),
        body,
        cuts(random),
    )


def reply(random: Random, body: bytes) -> Message:
    """
    Return a reply that is mostly well-formed.
    """
    status = b"HTTP/1.1 200 OK"
    if random.random() < 0.1:
        status = one(
            random,
            (
                b"HTTP/1.0 200",
                b"HTTP/1.1 302 Found",
                b"HTTP/1.1 204 No Content",
                b"HTTP/1.1 100 Continue",
                b"HTTP/1.1 500 \xff",
                b"HTTP/1.1 999999 x",
                b"HTTP/1.1 -1 x",
                b"ICY 200 OK",
                b"",
            ),
        )
    isChunked = random.random() < 0.1
    length = {b"Content-Length": LENGTH}
    if isChunked:
        length = {b"Transfer-Encoding": b"chunked"}
    return (
        "chunked" if isChunked else "length",
        head(random, status, {b"Content-Type": b"text/plain", **length}),
        body,
        cuts(random),
    )


def sent(message: Message) -> list[bytes]:
    """
    Return the segments of a message.
    """
    framing, start, body, sizes = message
    data = start.replace(LENGTH, b"%d" % len(body))
    if framing == "chunked":
        half = len(body) // 2
        chunks = [each for each in (body[:half], body[half:]) if each]
        body = b"".join(b"%x;a=b\r\n%s\r\n" % (len(each), each) for each in chunks)
        body += b"0\r\n\r\n"
    return segments(data + body, sizes)


def query(random: Random) -> bytes:
    """
    Return a query of nonsense.
    """
    raw = text(random).encode("utf-8", "surrogatepass")
    return one(random, (b"", b"?", b"?t=1", b"?t=%s" % raw, b"?a&&=&" * 40, b"?%ff%zz"))
