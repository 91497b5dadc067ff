"""
Answers about files that go from one who is online to another, and the way to
those about all other pictures and files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import NOT_DONE_YET

from txwebqq.errors import MalformedReply
from txwebqq.model import Uin
from txwebqq.server.api.avatars import AvatarsAPI
from txwebqq.server.api.offlinefiles import OfflineFilesAPI
from txwebqq.server.api.pictures import PicturesAPI
from txwebqq.server.domain.filetransfers import (
    CANCELLED,
    DECLINED,
    GONE,
    FileLimits,
    OfflineFiles,
    Transfers,
)
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.authorization import byTicket
from txwebqq.server.http.downloads import Downloads, describe, refuse
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.http.filerelay import FileRelay, FileRelays
from txwebqq.server.http.multipart import MultipartBody, PausableSource
from txwebqq.server.http.uploads import FileUploadReceiver, UploadHandler, UploadStore
from txwebqq.server.sessions.sessions import Random, Session
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.filetransfers import (
    GetFile2,
    ReceiveFile,
    RefuseFile2,
    SendFile,
    pathFields,
)
from txwebqq.wire.commands.offlinefiles import UploadOfflineFile, UploadOfflinePic
from txwebqq.wire.commands.pictures import CfaceUpload
from txwebqq.wire.form import Form
from txwebqq.wire.multipart import UploadCommand

CLEAN = 3600.0
"""The seconds between two looks for what is too old."""

_NOBODY = Uin(0)


class FileTransfersAPI:
    """
    The exchanges of pictures and files.

    @param blobs: where their bytes lie.

    @ivar pictures: the rules of pictures, for those in messages.
    """

    def __init__(
        self,
        state: ServerState,
        blobs: BlobStore,
        clock: IReactorTime,
        random: Random,
        limits: FileLimits,
    ) -> None:
        self._sessions = state.sessions
        self._blobs = blobs
        self._clock = clock
        self._limits = limits
        self.pictures = PictureRules(state, clock.seconds, random)
        self._files = OfflineFiles(state, clock.seconds, random, limits)
        self._transfers = Transfers(state, random)
        self._relays = FileRelays(self._transfers, clock, limits.online)
        self._uploads = UploadStore(self._sessions, state.store.media, blobs)
        self._downloads = Downloads(blobs, clock, random)
        self._avatars = AvatarsAPI(self._sessions, self.pictures, blobs)
        self._customFaces = PicturesAPI(self._sessions, self.pictures, self._downloads)
        self._offlineFiles = OfflineFilesAPI(
            self._sessions, self._files, self.pictures, self._downloads
        )
        self._cleanAt = 0.0
        self._takers: dict[
            bytes, tuple[type[UploadCommand[Any]], UploadHandler, int]
        ] = {
            command.path.encode(): (command, taker, limit)
            for command, taker, limit in (
                (CfaceUpload, self._customFaces.cfaceUpload, limits.face),
                (UploadOfflinePic, self._offlineFiles.uploadOfflinePic, limits.picture),
                (UploadOfflineFile, self._offlineFiles.uploadOfflineFile, limits.file),
            )
        }

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            **self._avatars.handlers(),
            **self._offlineFiles.handlers(),
            **self._customFaces.handlers(),
            GetFile2: self.getFile2,
            RefuseFile2: self.refuseFile2,
        }

    def stop(self) -> None:
        """
        End all transfers, and delete what is temporary.
        """
        self._relays.stop()
        self._blobs.close()

    def sweep(self) -> None:
        """
        Delete what is too old, now and then.
        """
        if self._clock.seconds() >= self._cleanAt:
            self._cleanAt = self._clock.seconds() + CLEAN
            self._blobs.remove(self._files.expire())

    def expect(
        self, path: bytes, query: bytes, contentType: bytes, flow: PausableSource
    ) -> tuple[type[UploadCommand[Any]], MultipartBody] | None:
        """
        What takes the body of a C{POST}, if it is a form with a file.
        """
        found = self._takers.get(path)
        if found is not None:
            command, taker, limit = found
            receiver = FileUploadReceiver(
                self._uploads, command, taker, limit, query, flow
            )
            # Somewhat too large a file is told so in the way of its exchange.
            body = MultipartBody(contentType, command.fileField, receiver, 2 * limit)
            return command, body
        if not path.startswith(b"/v2/"):
            return None
        session: Session | Refusal
        try:
            form = Form(
                [*pathFields(path.decode("latin-1")), *Form.parse(query).items()]
            )
            question = SendFile.decodeFields(form)
            session = byTicket(self._sessions, question.ticket.psessionid)
        except MalformedReply as e:
            question = SendFile(Form([]).ticket, _NOBODY, _NOBODY, 0)
            session = Refusal(NO_SUCH_ID, str(e))
        relay = FileRelay(self._relays, session, question, flow)
        limit = 2 * self._limits.online
        return SendFile, MultipartBody(contentType, SendFile.fileField, relay, limit)

    def getFile2(self, command: GetFile2, exchange: Exchange) -> bytes | Refusal:
        """
        Want a file, and be sent to where it comes.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        transfer = self._transfers.accept(session, command.session, command.sender)
        if isinstance(transfer, Refusal):
            return transfer
        relay = self._relays.of(transfer)
        if relay is None:
            return Refusal(GONE, "the file is no longer offered")
        relay.accepted()
        ticket = command.ticket
        name = quote(transfer.name, safe="")
        exchange.location = (
            f"{exchange.base}/v2/{session.number}/{command.sender}/{transfer.key}"
            f"/0/0/0/0/1/f/1/{name}?psessionid={quote(ticket.psessionid)}"
        )
        return b""

    def refuseFile2(self, command: RefuseFile2, exchange: Exchange) -> None | Refusal:
        """
        Do not want a file, or take one's offer back.
        """
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        transfer = self._transfers.of(session, command.session)
        relay = None if transfer is None else self._relays.of(transfer)
        if transfer is None or relay is None:
            return Refusal(GONE, "no such file is offered")
        isMine = transfer.sender == session.number
        relay.abandon(session.number, CANCELLED if isMine else DECLINED)
        return None

    def download(self, request: Any, path: bytes, query: bytes) -> int | bytes | None:
        """
        Answer a C{GET} whose path is the name of a file.

        @return: what C{render} returns, L{None} for another C{GET}.
        """
        isPass = b"rkey=" in query
        if not isPass and not path.startswith(b"/v2/"):
            return None
        try:
            form = Form.parse(query)
            if isPass:
                return self._offlineFiles.fetch(request, form)
            where = pathFields(unquote(path.decode("latin-1")))
            command = ReceiveFile.decodeFields(Form([*where, *form.items()]))
        except MalformedReply as e:
            return refuse(request, Refusal(NO_SUCH_ID, str(e)))
        session = byTicket(self._sessions, command.ticket.psessionid)
        if isinstance(session, Refusal):
            return refuse(request, session)
        transfer = self._transfers.of(session, command.session)
        relay = None if transfer is None else self._relays.of(transfer)
        if transfer is None or relay is None or transfer.recipient != session.number:
            return refuse(request, Refusal(GONE, "no such file is offered to you"))
        if not transfer.isAccepted:
            return refuse(request, Refusal(GONE, "get_file2 comes first"))
        describe(request, transfer.name)
        if not relay.attach(request):
            return refuse(request, Refusal(GONE, "somebody fetches it already"))
        return NOT_DONE_YET
