"""
The files of the chat page, which are data of this package.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from twisted.web.http import CACHED
from twisted.web.server import Request

INDEX = "index.html"

_SIGN_UP = b'<meta name="sign-up" content="signup">\n'
"""Tells the script of the page where users create accounts."""

_TYPES = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
"""The C{Content-Type} of files by the end of their names."""

_POLICY = b"; ".join(
    (
        b"default-src 'none'",
        b"script-src 'self'",
        b"style-src 'self'",
        b"img-src 'self' blob:",
        b"connect-src 'self'",
        b"form-action 'self'",
        b"base-uri 'none'",
        b"frame-ancestors 'none'",
        b"require-trusted-types-for 'script'",
    )
)

_HEADERS = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # The next version of the server may have other files, so each is asked for.
    (b"cache-control", b"no-cache"),
)


@dataclass(frozen=True, slots=True)
class PageFile:
    """
    A file of the page.

    @ivar compressed: the content, compressed by gzip.
    @ivar tag: the C{ETag}, with its quotation marks.
    """

    contentType: bytes
    content: bytes
    compressed: bytes
    tag: bytes


class PageFiles:
    """
    The chat page: C{/}, and its files below C{/page/}.

    All of them are in memory, and contain nothing about the server or its accounts but
    whether users may create accounts, and limits.

    @param isSignUpOpen: whether the page has a link to the sign-up page.
    @param limits: as L{setLimits} has them.
    """

    def __init__(
        self, isSignUpOpen: bool = False, limits: Mapping[str, int] | None = None
    ) -> None:
        self._files: dict[bytes, PageFile] = {}
        for name, content in _found(files("txwebqq.server.page").joinpath("static")):
            contentType = _TYPES.get(name.rpartition(".")[2])
            if name == INDEX:
                self._index = content
            elif contentType is not None:
                self._files[f"/page/{name}".encode()] = _load(contentType, content)
        if isSignUpOpen:
            self._index = self._index.replace(b"</head>", _SIGN_UP + b"</head>")
        self.setLimits(limits or {})

    def setLimits(self, limits: Mapping[str, int]) -> None:
        """
        Tell pages that are opened from now on what the server takes.

        @param limits: maximum sizes in bytes: of a C{picture}, of a C{file}, and of the
            content of a C{message}. What is not there is not told.
        """
        index = self._index
        if limits:
            told = json.dumps(dict(limits)).encode()
            meta = b"<meta name=\"limits\" content='%s'>\n</head>" % told
            index = index.replace(b"</head>", meta)
        self._files[b"/"] = _load(_TYPES["html"], index)

    @property
    def paths(self) -> frozenset[bytes]:
        """
        The paths of all files.
        """
        return frozenset(self._files)

    def render(self, request: Request, path: bytes) -> bytes | None:
        """
        Set the headers of a file, and return its body; L{None} for other paths.
        """
        file = self._files.get(path)
        if file is None:
            return None
        for name, value in _HEADERS:
            request.setHeader(name, value)
        request.setHeader(b"content-type", file.contentType)
        request.setHeader(b"vary", b"accept-encoding")
        if request.setETag(file.tag) is CACHED:
            return b""
        if _takesGzip(request.getHeader(b"accept-encoding") or b""):
            request.setHeader(b"content-encoding", b"gzip")
            return file.compressed
        return file.content


def _found(folder: Traversable, before: str = "") -> Iterator[tuple[str, bytes]]:
    """
    Generate the files below a folder, each with its path and content.
    """
    for entry in folder.iterdir():
        name = before + entry.name
        if entry.is_dir():
            yield from _found(entry, f"{name}/")
        else:
            yield name, entry.read_bytes()


def _load(contentType: bytes, content: bytes) -> PageFile:
    tag = b'"%s"' % sha256(content).hexdigest()[:32].encode()
    return PageFile(contentType, content, gzip.compress(content, mtime=0), tag)


def _takesGzip(accepted: bytes) -> bool:
    for coding in accepted.lower().split(b","):
        name, _, quality = coding.strip().partition(b";")
        if name.strip() == b"gzip":
            return quality.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00")
    return False
