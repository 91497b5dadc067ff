"""
Requests with files: uploads, whose bodies are not read into memory, and downloads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import unquote

from twisted.web.server import Request

from txwebqq.errors import MalformedReply
from txwebqq.net.fileproducer import FileProducer, chunksOf
from txwebqq.server.domain.refusals import NO_SUCH_ID, refusalFor
from txwebqq.server.http.authorization import findCaller
from txwebqq.server.http.downloads import FileSender, refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.filerelay import FileRelay
from txwebqq.server.http.multipart import MultipartBody, PausableSource
from txwebqq.server.http.uploads import (
    FileUploadReceiver,
    RefusedUpload,
    UploadRoute,
    Uploads,
)
from txwebqq.server.request import TOO_LARGE, Upload, WebQQRequest, targetOf
from txwebqq.server.sessions.session import EndedSession
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.uploadquotas import FileLimits
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.filetransfers import ReceiveFile, SendFile, pathFields
from txwebqq.wire.commands.offlinefiles import (
    GroupFileDownload,
    OfflineFileDownload,
    UploadOfflineFile,
    UploadOfflinePic,
)
from txwebqq.wire.commands.pictures import CfaceUpload
from txwebqq.wire.form import Form
from txwebqq.wire.multipart import UploadCommand

STREAMED: frozenset[type[Command[Any]]] = frozenset(
    {
        CfaceUpload,
        UploadOfflinePic,
        UploadOfflineFile,
        SendFile,
        ReceiveFile,
        OfflineFileDownload,
        GroupFileDownload,
    }
)
"""The commands whose requests have files."""


Download = ReceiveFile | OfflineFileDownload | GroupFileDownload

_GROUP_FILES = GroupFileDownload.path.encode()


def isDownload(path: bytes, query: bytes) -> bool:
    """
    Check whether a C{GET} is a request for a file.
    """
    # The path of an offline file is its name, which may be any.
    return b"rkey=" in query or path.startswith(b"/v2/") or path == _GROUP_FILES


def decodeDownload(path: bytes, query: bytes) -> Download:
    """
    Decode a request for a file.

    @raise MalformedReply: when its fields are invalid.
    """
    form = Form.parse(query)
    if path == _GROUP_FILES:
        return GroupFileDownload.decodeFields(form)
    if b"rkey=" in query:
        return OfflineFileDownload.decodeFields(form)
    fields = pathFields(unquote(path.decode("latin-1")))
    return ReceiveFile.decodeFields(Form([*fields, *form.items()]))


class UploadRequests:
    """
    Receives the requests with files.

    @param proxies: the addresses of proxies whose C{X-Forwarded-For} is trusted.

    @ivar paths: the paths of uploads, without those of file transfers, which differ.
    """

    def __init__(
        self, uploads: Uploads, limits: FileLimits, proxies: Collection[str]
    ) -> None:
        self._uploads = uploads
        self._proxies = proxies
        self.setLimits(limits)
        self.paths = self._routes.keys()

    def exchangeOf(self, request: Request) -> HTTPExchange:
        """
        Make the exchange of a request.
        """
        return HTTPExchange(request, self._proxies)

    def setLimits(self, limits: FileLimits) -> None:
        """
        Change the maximum sizes of uploads that begin from now on.
        """
        self._limits = limits
        self._routes = {
            command.path.encode(): UploadRoute(command, limit)
            for command, limit in (
                (CfaceUpload, limits.face),
                (UploadOfflinePic, limits.picture),
                (UploadOfflineFile, limits.file),
            )
        }

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None:
        """
        Return the receiver of a C{POST} whose body is given to it while it arrives;
        L{None} for a C{POST} whose body is read into memory.

        @param request: the request, whose headers have arrived.
        @param length: the length of the body, L{None} if it is not known.
        @param source: the connection of the client.
        """
        path, query = targetOf(uri)
        route = self._routes.get(path)
        if route is None and not path.startswith(b"/v2/"):
            return None
        contentType = request.getHeader(b"content-type") or b""
        if route is not None:
            exchange = self.exchangeOf(request)
            receiver = FileUploadReceiver(
                self._uploads, route, query, exchange, length, source
            )
            # A file that is slightly too large is refused by its handler.
            limit = 2 * route.limit
            fileField = route.command.fileField
            body = MultipartBody(contentType, fileField, receiver, limit)
            return Upload(route.command, body)
        relay = self._expectTransfer(path, query, source)
        limit = 2 * self._limits.online
        body = MultipartBody(contentType, SendFile.fileField, relay, limit)
        return Upload(SendFile, body)

    def _expectTransfer(
        self, path: bytes, query: bytes, source: PausableSource
    ) -> FileRelay | RefusedUpload:
        """
        Return the receiver of a file transfer.
        """
        raise NotImplementedError

    def receive(
        self, request: Request, exchange: HTTPExchange
    ) -> tuple[type[UploadCommand[Any]], Any] | int | bytes | None:
        """
        Handle a C{POST} if it is an upload.

        @return: the command and its reply, which may be a Deferred; the result of
            L{render<twisted.web.resource.IResource.render>} for an upload that is
            refused; L{None} for other requests.
        """
        if isinstance(request, WebQQRequest):
            upload = request.upload
            if upload is None:
                return None
            return upload.command, upload.body.finish(exchange)
        # A request in memory, whose body is complete.
        content: Any = request.content
        producer = FileProducer(chunksOf(content), content.close)
        length = content.seek(0, 2)
        content.seek(0)
        upload = self.expect(request, request.uri, length, producer)
        if upload is None:
            return None
        body = upload.body
        if length > body.limit:
            return refuse(request, TOO_LARGE, 413)
        request.notifyFinish().addErrback(lambda _: body.lost())
        written = producer.writeTo(body.take)
        return upload.command, written.addCallback(lambda _: body.finish(exchange))


class StreamedRequests(UploadRequests):
    """
    Handles the requests with files of a server whose state is in this process.

    @param handlers: the handlers of all commands.
    @param files: sends the files.
    """

    def __init__(
        self,
        uploads: Uploads,
        sessions: Sessions,
        handlers: dict[type[Command[Any]], Callable[..., Any]],
        limits: FileLimits,
        files: FileSender,
        proxies: Collection[str],
    ) -> None:
        super().__init__(uploads, limits, proxies)
        self._files = files
        self._sessions = sessions
        self._handlers = handlers

    def _expectTransfer(
        self, path: bytes, query: bytes, source: PausableSource
    ) -> FileRelay | RefusedUpload:
        try:
            fields = pathFields(path.decode("latin-1"))
            form = Form([*fields, *Form.parse(query).items()])
            command = SendFile.decodeFields(form)
        except MalformedReply as e:
            return RefusedUpload(Refusal(NO_SUCH_ID, str(e)))
        session = self._sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return RefusedUpload(refusalFor(session))
        relay: FileRelay = self._handlers[SendFile](command, session, source)
        return relay

    def download(self, request: Request, path: bytes, query: bytes) -> int | bytes:
        """
        Reply to a request for a file.

        @return: the result of L{render<twisted.web.resource.IResource.render>}.
        """
        try:
            command = decodeDownload(path, query)
        except MalformedReply as e:
            return refuse(request, Refusal(NO_SUCH_ID, str(e)))
        exchange = HTTPExchange(request, self._proxies)
        caller = findCaller(self._sessions, command, exchange)
        if isinstance(caller, EndedSession):
            return refuse(request, refusalFor(caller))
        handler = self._handlers[type(command)]
        if isinstance(command, ReceiveFile):
            rendered: int | bytes = handler(command, caller, request)
            return rendered
        reply = handler(command, caller, exchange)
        return self._files.send(request, exchange, type(command), reply)
