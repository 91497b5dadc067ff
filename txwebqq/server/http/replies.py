"""
HTTP replies to commands, and the constant pages.
"""

from __future__ import annotations

from typing import Any

from twisted.web import http
from twisted.web.server import NOT_DONE_YET, Request

from txwebqq.net.wholerequest import WholeRequest
from txwebqq.server.http.exchange import HTML, SCRIPT, TEXT, HTTPExchange
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.filetransfers import SendFile
from txwebqq.wire.commands.history import GetChatLog
from txwebqq.wire.commands.offlinefiles import UploadOfflineFile, UploadOfflinePic
from txwebqq.wire.commands.pictures import CfaceUpload
from txwebqq.wire.commands.signon import Check, GetImage, Login, LoginPage

_TYPES: dict[type[Command[Any]], bytes] = {
    LoginPage: HTML,
    Check: SCRIPT,
    Login: SCRIPT,
    GetImage: b"image/jpeg",
    GetChatLog: SCRIPT,
    CfaceUpload: HTML,
    UploadOfflinePic: HTML,
    UploadOfflineFile: HTML,
    SendFile: HTML,
}
"""The C{Content-Type} of replies that are not plain text."""

_LOGIN_PROXY = b"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>WebQQ</title></head><body></body></html>
"""

_PAGES: dict[bytes, tuple[bytes, bytes]] = {
    b"/cgi-bin/ver": (SCRIPT, b"ptuiV(201304110930);"),
    b"/loginproxy.html": (HTML, _LOGIN_PROXY),
}
"""Constant pages of the sign-on, by path: the C{Content-Type} and the content."""


def sendReply(
    request: Request, exchange: HTTPExchange, command: type[Command[Any]], reply: Any
) -> int:
    """
    Write a reply with its headers.

    @return: the result of L{twisted.web.resource.IResource.render}.
    """
    body = command.encodeReply(reply)
    usual = _TYPES.get(command, TEXT)
    contentType = exchange.contentType or usual
    if usual is not HTML and isinstance(reply, Refusal):
        contentType = TEXT
    for name, value in exchange.headers:
        request.responseHeaders.setRawHeaders(name, [value])
    if exchange.status is not None:
        request.setResponseCode(exchange.status)
    for line in exchange.setCookies:
        request.responseHeaders.addRawHeader(b"set-cookie", line.encode("latin-1"))
    if exchange.location is not None:
        request.setResponseCode(http.FOUND)
        location = exchange.location.encode()
        request.responseHeaders.setRawHeaders(b"location", [location])
    if isinstance(request, WholeRequest):
        request.reply(contentType, body)
        return NOT_DONE_YET
    request.setHeader(b"content-type", contentType)
    request.setHeader(b"content-length", b"%d" % len(body))
    request.write(body)
    request.finish()
    return NOT_DONE_YET


def constantPage(request: Request, path: bytes) -> bytes | None:
    """
    Set the headers of a constant page, and return its body; L{None} for other paths.
    """
    page = _PAGES.get(path)
    if page is None:
        return None
    contentType, body = page
    request.setHeader(b"content-type", contentType)
    return body
