"""
The sign-up page of a server in memory, and forms that are filled in.
"""

from __future__ import annotations

import re
from base64 import b64decode
from urllib.parse import urlencode

from tests.server.harness import Response, ServerHarness


def signUpHarness(proxies: tuple[str, ...] = ()) -> ServerHarness:
    """
    Return a server with a sign-up page.
    """
    return ServerHarness(proxies=proxies, hasSignUp=True)


def ask(
    harness: ServerHarness,
    method: str,
    body: bytes = b"",
    cookie: str = "",
    address: str = "127.0.0.1",
    forwarded: str = "",
    languages: str = "",
) -> Response:
    return harness.send(
        signUpRequest(method, body, cookie, forwarded, languages), address
    ).response


def signUpRequest(
    method: str,
    body: bytes = b"",
    cookie: str = "",
    forwarded: str = "",
    languages: str = "",
) -> bytes:
    """
    Return the bytes of a request for the page.
    """
    lines = [f"{method} /signup HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines.append("Content-Type: application/x-www-form-urlencoded")
    if cookie:
        lines.append(f"Cookie: signup={cookie}")
    if languages:
        lines.append(f"Accept-Language: {languages}")
    if forwarded:
        lines.append(f"X-Forwarded-For: {forwarded}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def filled(page: Response, **changes: str) -> tuple[bytes, str]:
    """
    Return the data of a form that is filled in, and its cookie.
    """
    session = page.cookies["signup"]
    cookie = changes.pop("cookie", session)
    fields = {
        "nick": "Zoë",
        "password": "open sesame",
        "again": "open sesame",
        "code": read(page),
        "session": session,
    } | changes
    return urlencode(fields).encode(), cookie


def submit(harness: ServerHarness, **changes: str) -> Response:
    """
    Fetch a form, fill it in, and send it.
    """
    more = {k: changes.pop(k) for k in ("address", "forwarded") if k in changes}
    body, cookie = filled(ask(harness, "GET"), **changes)
    return ask(harness, "POST", body, cookie, **more)


def read(page: Response) -> str:
    picture = re.search(rb"base64,([^\"]+)", page.body)
    assert picture is not None
    return b64decode(picture[1]).decode()
