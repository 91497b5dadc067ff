"""
Answers about pictures, avatars and files.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.server import NOT_DONE_YET

from txwebqq.errors import MalformedReply
from txwebqq.model import Uin
from txwebqq.server.blobs import Blob, Blobs, Draft, TooLarge
from txwebqq.server.exchange import Exchange, Handler
from txwebqq.server.files import (
    CANCELLED,
    DECLINED,
    GONE,
    TOO_BIG,
    Files,
    Limits,
    Transfers,
)
from txwebqq.server.mediastore import MediaStore
from txwebqq.server.pages import SCRIPT, TEXT
from txwebqq.server.pictures import Pictures, typeOf
from txwebqq.server.portraits import portrait
from txwebqq.server.post import NOT_YOURS, refusalFor
from txwebqq.server.relay import Relay, Relays
from txwebqq.server.sessions import Ended, Random, Session, token
from txwebqq.server.streams import Flow, Intake, sendFile
from txwebqq.server.world import World
from txwebqq.wire.avatars import GetFace, ModifyMyHead
from txwebqq.wire.command import Command, Fields, Pairs, Refusal, encodeRefusal
from txwebqq.wire.deposits import (
    ApplyOfflinePicDl2,
    GetOffpic2,
    LocatedPicture,
    NotifyOfffile2,
    SendOfffile2,
    StoredFile,
    UploadOfflineFile,
    UploadOfflinePic,
)
from txwebqq.wire.media import (
    GetFile2,
    ReceiveFile,
    RefuseFile2,
    SendFile,
    Upload,
    pathFields,
)
from txwebqq.wire.shelf import (
    DELETE_FACE,
    LIST_FACES,
    SHOW_FACE,
    CfaceUpload,
    FaceSignature,
    GetCface2,
    GetGfaceSig2,
    GetGroupPic,
    GetImage2,
    ShelfReply,
    Shelved,
    WebqqApp,
)

PASS_LIFE = 600.0
"""The seconds within which a redirect has to be followed."""

MAX_PASSES = 10_000

CLEAN = 3600.0
"""The seconds between two looks for what is too old."""

BYTES = b"application/octet-stream"

_NOBODY = Uin(0)
_ABSENT = Refusal(NOT_YOURS, "there is no such picture for you")


@dataclass(frozen=True, slots=True)
class Received:
    """
    The file of a form.

    @ivar blob: L{None} when it is too large.
    """

    name: str
    blob: Blob | None
    beginning: bytes


Taker = Callable[[Any, Received, Exchange], Any]


class Media:
    """
    The exchanges of pictures and files.

    @param blobs: where their bytes lie.

    @ivar pictures: the rules of pictures, for those in messages.
    """

    _log = Logger()

    def __init__(
        self,
        world: World,
        store: MediaStore,
        blobs: Blobs,
        clock: IReactorTime,
        random: Random,
        limits: Limits,
    ) -> None:
        self._world = world
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._random = random
        self._limits = limits
        self.pictures = Pictures(world, store, clock.seconds, random)
        self._files = Files(world, store, clock.seconds, random, limits)
        self._transfers = Transfers(world, random)
        self._relays = Relays(self._transfers, clock, limits.online)
        # By key: a digest, and until when it opens.
        self._passes: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._cleanAt = 0.0
        self._takers: dict[bytes, tuple[type[Upload[Any]], Taker, int]] = {
            command.path.encode(): (command, taker, limit)
            for command, taker, limit in (
                (CfaceUpload, self.cfaceUpload, limits.face),
                (UploadOfflinePic, self.uploadOfflinePic, limits.picture),
                (UploadOfflineFile, self.uploadOfflineFile, limits.file),
            )
        }

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            GetGfaceSig2: self.getGfaceSig2,
            GetGroupPic: self.getGroupPic,
            ApplyOfflinePicDl2: self.applyOfflinePicDl2,
            GetOffpic2: self.getOffpic2,
            GetCface2: self.getCface2,
            GetImage2: self.getImage2,
            WebqqApp: self.webqqApp,
            GetFace: self.getFace,
            ModifyMyHead: self.modifyMyHead,
            SendOfffile2: self.sendOfffile2,
            NotifyOfffile2: self.notifyOfffile2,
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

    # ---- who asks

    def _byTicket(self, psessionid: str) -> Session | Refusal:
        session = self._world.sessions.byTicket(psessionid)
        return refusalFor(session) if isinstance(session, Ended) else session

    def whose(self, vfwebqq: str, exchange: Exchange) -> Session | Refusal:
        """
        The session of whoever has its vfwebqq, or the cookie of its login.
        """
        found = self._world.sessions.byVerifier(vfwebqq)
        if isinstance(found, Session):
            return found
        signedOn = self._world.sessions.bySignOn(exchange.cookies.get("ptwebqq", ""))
        return signedOn if isinstance(signedOn, Session) else refusalFor(found)

    # ---- uploads

    def expect(
        self, path: bytes, query: bytes, contentType: bytes, flow: Flow
    ) -> tuple[type[Upload[Any]], Intake] | None:
        """
        What takes the body of a C{POST}, if it is a form with a file.
        """
        found = self._takers.get(path)
        if found is not None:
            command, taker, limit = found
            reception = _Stored(self, command, taker, limit, query, flow)
            # Somewhat too large a file is told so in the way of its exchange.
            intake = Intake(contentType, command.fileField, reception, 2 * limit)
            return command, intake
        if not path.startswith(b"/v2/"):
            return None
        session: Session | Refusal
        try:
            fields = Fields(
                [*pathFields(path.decode("latin-1")), *Fields.parse(query).items()]
            )
            question = SendFile.decodeFields(fields)
            session = self._byTicket(question.ticket.psessionid)
        except MalformedReply as e:
            question = SendFile(Fields([]).ticket, _NOBODY, _NOBODY, 0)
            session = Refusal(NOT_YOURS, str(e))
        relay = Relay(self._relays, session, question, flow)
        limit = 2 * self._limits.online
        return SendFile, Intake(contentType, SendFile.fileField, relay, limit)

    def begin(self, limit: int) -> Draft:
        """
        Begin to receive a file.
        """
        return self._blobs.begin(limit)

    def keep(self, draft: Draft) -> Blob:
        """
        Keep a file, for the time being.
        """
        blob = draft.keep()
        self._store.noteBlob(blob)
        return blob

    def cfaceUpload(
        self, question: CfaceUpload, file: Received, exchange: Exchange
    ) -> Shelved:
        """
        Put a picture among somebody's custom faces.
        """
        session = self.whose(question.ticket.vfwebqq, exchange)
        callback = question.callback
        if isinstance(session, Refusal):
            return Shelved(2, "get uin and skey error", callback)
        if file.blob is None:
            return Shelved(3, "", callback)
        shelved = self.pictures.shelve(session.number, file.blob, file.beginning)
        return Shelved(shelved.ret, shelved.name, callback)

    def uploadOfflinePic(
        self, question: UploadOfflinePic, file: Received, exchange: Exchange
    ) -> StoredFile | Refusal:
        """
        Keep a picture for a friend.
        """
        return self._deposit(question, file, exchange, isPicture=True)

    def uploadOfflineFile(
        self, question: UploadOfflineFile, file: Received, exchange: Exchange
    ) -> StoredFile | Refusal:
        """
        Keep a file for a friend.
        """
        return self._deposit(question, file, exchange, isPicture=False)

    def _deposit(
        self,
        question: UploadOfflinePic | UploadOfflineFile,
        file: Received,
        exchange: Exchange,
        isPicture: bool,
    ) -> StoredFile | Refusal:
        session = self.whose(question.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        if question.own not in (0, session.number):
            return Refusal(NOT_YOURS, "uin is not yours")
        if file.blob is None:
            return Refusal(TOO_BIG, "the file is too large")
        path = self._files.deposit(
            session.number, file.blob, file.name, isPicture, file.beginning
        )
        if isinstance(path, Refusal):
            return path
        return StoredFile(
            path, file.name, file.blob.size, question.fileId, question.callback
        )

    # ---- pictures

    def getGfaceSig2(
        self, question: GetGfaceSig2, exchange: Exchange
    ) -> FaceSignature | Refusal:
        """
        What pictures are sent to groups with.
        """
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self.pictures.signature(session)

    def getGroupPic(self, question: GetGroupPic, exchange: Exchange) -> bytes | Refusal:
        """
        Send whoever was sent a picture to where it is.
        """
        session = self.whose(question.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        return self._redirect(self.pictures.sentTo(session, question.name), exchange)

    def applyOfflinePicDl2(
        self, question: ApplyOfflinePicDl2, exchange: Exchange
    ) -> LocatedPicture | Refusal:
        """
        Tell whoever left a picture with us where it is.
        """
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        digest = self.pictures.sentTo(session, question.file)
        if digest is None:
            return _ABSENT
        return LocatedPicture(self._passTo(digest, exchange), question.file)

    def getOffpic2(self, question: GetOffpic2, exchange: Exchange) -> bytes | Refusal:
        """
        Send whoever was sent a photo to where it is.
        """
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        return self._redirect(self.pictures.sentTo(session, question.file), exchange)

    def getCface2(self, question: GetCface2, exchange: Exchange) -> bytes | Refusal:
        """
        A friend's custom face.
        """
        return self._peerFace(question, exchange)

    def getImage2(self, question: GetImage2, exchange: Exchange) -> bytes | Refusal:
        """
        The same, by another name.
        """
        return self._peerFace(question, exchange)

    def _peerFace(
        self, question: GetCface2 | GetImage2, exchange: Exchange
    ) -> bytes | Refusal:
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        digest = self.pictures.faceFrom(session, question.sender, question.name)
        return self._show(digest, exchange)

    def webqqApp(self, question: WebqqApp, exchange: Exchange) -> ShelfReply | Refusal:
        """
        Somebody's own custom faces.
        """
        session = self.whose(question.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        number, name = session.number, question.name
        if question.what == SHOW_FACE:
            return self._show(self.pictures.shelved(number, name), exchange)
        exchange.contentType = SCRIPT
        if question.what == LIST_FACES:
            return self.pictures.shelf(number)
        if question.what == DELETE_FACE:
            return 0 if self.pictures.unshelve(number, name) else 1
        return Refusal(NOT_YOURS, "cmd is not 1, 2 or 12")

    def _show(self, digest: str | None, exchange: Exchange) -> bytes | Refusal:
        data = None if digest is None else self._blobs.read(digest)
        if data is None:
            return _ABSENT
        exchange.contentType = typeOf(data[:16]).encode()
        exchange.headers.append((b"x-content-type-options", b"nosniff"))
        return data

    def _redirect(self, digest: str | None, exchange: Exchange) -> bytes | Refusal:
        if digest is None:
            return _ABSENT
        exchange.location = self._passTo(digest, exchange)
        return b""

    def _passTo(self, digest: str, exchange: Exchange) -> str:
        """
        A URL that leads to some bytes, for some minutes.
        """
        key = token(self._random, 64)
        now = self._clock.seconds()
        while self._passes:
            first = next(iter(self._passes))
            if self._passes[first][1] > now and len(self._passes) < MAX_PASSES:
                break
            del self._passes[first]
        self._passes[key] = digest, now + PASS_LIFE
        return f"{exchange.base}/?ver=2173&rkey={key}"

    # ---- avatars

    def getFace(self, question: GetFace, exchange: Exchange) -> bytes | Refusal:
        """
        What somebody looks like.
        """
        session = self.whose(question.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        avatar = self.pictures.avatarOf(session, question.kind, question.whose)
        if avatar is None:
            return Refusal(NOT_YOURS, "uin is nobody")
        data = None if avatar.digest is None else self._blobs.read(avatar.digest)
        if data is None or avatar.digest is None:
            data = portrait(avatar.number)
            # Numbers are for those only who may know them.
            tag = f'"{question.kind}-{question.whose}"'
        else:
            tag = f'"{avatar.digest[:32]}"'
        exchange.contentType = typeOf(data[:16]).encode()
        exchange.headers += [
            (b"etag", tag.encode()),
            (b"cache-control", b"private, max-age=60"),
            (b"x-content-type-options", b"nosniff"),
        ]
        known = (exchange.header(b"if-none-match") or b"").decode("latin-1")
        if tag in [one.strip().removeprefix("W/") for one in known.split(",")]:
            exchange.status = 304
            return b""
        return data

    def modifyMyHead(
        self, question: ModifyMyHead, exchange: Exchange
    ) -> None | Refusal:
        """
        Look otherwise.
        """
        session = self.whose(question.ticket.vfwebqq, exchange)
        if isinstance(session, Refusal):
            return session
        return self.pictures.setAvatar(session, question.name, question.group)

    # ---- files that wait

    def sendOfffile2(
        self, question: SendOfffile2, exchange: Exchange
    ) -> None | Refusal:
        """
        Give a file to a friend.
        """
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        ip, port = _address(exchange)
        return self._files.give(
            session, question.to, question.file, question.name, ip, port
        )

    def notifyOfffile2(
        self, question: NotifyOfffile2, exchange: Exchange
    ) -> None | Refusal:
        """
        Do not want a file.
        """
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        if question.action != 2:
            return None
        return self._files.refuse(
            session, question.sender, question.name, question.size
        )

    # ---- from one to another

    def getFile2(self, question: GetFile2, exchange: Exchange) -> bytes | Refusal:
        """
        Want a file, and be sent to where it comes.
        """
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        transfer = self._transfers.accept(session, question.session, question.sender)
        if isinstance(transfer, Refusal):
            return transfer
        relay = self._relays.of(transfer)
        if relay is None:
            return Refusal(GONE, "the file is no longer offered")
        relay.accepted()
        ticket = question.ticket
        name = quote(transfer.name, safe="")
        exchange.location = (
            f"{exchange.base}/v2/{session.number}/{question.sender}/{transfer.key}"
            f"/0/0/0/0/1/f/1/{name}?psessionid={quote(ticket.psessionid)}"
        )
        return b""

    def refuseFile2(self, question: RefuseFile2, exchange: Exchange) -> None | Refusal:
        """
        Do not want a file, or take one's offer back.
        """
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return session
        transfer = self._transfers.of(session, question.session)
        relay = None if transfer is None else self._relays.of(transfer)
        if transfer is None or relay is None:
            return Refusal(GONE, "no such file is offered")
        isMine = transfer.sender == session.number
        relay.abandon(session.number, CANCELLED if isMine else DECLINED)
        return None

    # ---- downloads

    def download(self, request: Any, path: bytes, query: bytes) -> int | bytes | None:
        """
        Answer a C{GET} whose path is the name of a file.

        @return: what C{render} returns, L{None} for another C{GET}.
        """
        isPass = b"rkey=" in query
        if not isPass and not path.startswith(b"/v2/"):
            return None
        try:
            fields = Fields.parse(query)
            if isPass:
                return self._byKey(request, fields, path)
            where = pathFields(unquote(path.decode("latin-1")))
            question = ReceiveFile.decodeFields(Fields([*where, *fields.items()]))
        except MalformedReply as e:
            return _refuse(request, Refusal(NOT_YOURS, str(e)))
        session = self._byTicket(question.ticket.psessionid)
        if isinstance(session, Refusal):
            return _refuse(request, session)
        transfer = self._transfers.of(session, question.session)
        relay = None if transfer is None else self._relays.of(transfer)
        if transfer is None or relay is None or transfer.recipient != session.number:
            return _refuse(request, Refusal(GONE, "no such file is offered to you"))
        if not transfer.isAccepted:
            return _refuse(request, Refusal(GONE, "get_file2 comes first"))
        _describe(request, transfer.name, BYTES)
        if not relay.attach(request):
            return _refuse(request, Refusal(GONE, "somebody fetches it already"))
        return NOT_DONE_YET

    def _byKey(self, request: Any, fields: Fields, path: bytes) -> int | bytes:
        key = fields.text("rkey")
        digest, until = self._passes.get(key, ("", 0.0))
        if until > self._clock.seconds():
            return self._send(request, digest, 0, None)
        handout = self._files.waiting(key)
        if handout is None:
            return _refuse(request, Refusal(GONE, "the file is no longer here"), 404)
        start = fields.integer("range", 0)
        if not 0 <= start <= handout.size:
            return _refuse(request, Refusal(NOT_YOURS, "range is not in the file"))
        _describe(request, handout.name, BYTES)
        return self._send(
            request, handout.digest, start, lambda: self._files.fetched(key)
        )

    def _send(
        self,
        request: Any,
        digest: str,
        start: int,
        delivered: Callable[[], None] | None,
    ) -> int | bytes:
        file = self._blobs.open(digest)
        if file is None:
            return _refuse(request, Refusal(GONE, "the file is no longer here"), 404)
        size = file.seek(0, 2)
        file.seek(0)
        headers = request.responseHeaders
        if delivered is None:
            headers.setRawHeaders(b"content-type", [typeOf(file.read(16)).encode()])
            headers.setRawHeaders(b"x-content-type-options", [b"nosniff"])
        file.seek(start)
        headers.setRawHeaders(b"content-length", [b"%d" % (size - start)])
        finished = sendFile(file, request)
        if delivered is not None:
            note = delivered
            finished.addCallback(lambda _: note())
        finished.addErrback(self._ebSent)
        return NOT_DONE_YET

    def _ebSent(self, failure: Any) -> None:
        self._log.failure("Could not note that a file was fetched.", failure)


class _Stored:
    """
    A file that is put on the disk as it comes
    (L{txwebqq.server.streams.Reception}).
    """

    def __init__(
        self,
        media: Media,
        command: type[Upload[Any]],
        taker: Taker,
        limit: int,
        query: bytes,
        flow: Flow,
    ) -> None:
        self.flow = flow
        self._media = media
        self._command = command
        self._taker = taker
        self._limit = limit
        self._query = query
        self._draft: Draft | None = None
        self._name = ""

    def begin(self, pairs: Pairs, name: str) -> None:
        self._name = name
        self._draft = self._media.begin(self._limit)

    def write(self, data: bytes) -> None:
        if self._draft is None:
            return
        try:
            self._draft.write(data)
        except TooLarge:
            self._draft = None

    def end(self) -> None:
        pass

    def finish(self, pairs: Pairs, exchange: Exchange) -> Any:
        draft, self._draft = self._draft, None
        if draft is None:
            return self._take(pairs, exchange, None, b"")
        try:
            return self._take(pairs, exchange, draft, draft.beginning)
        finally:
            draft.discard()

    def _take(
        self, pairs: Pairs, exchange: Exchange, draft: Draft | None, beginning: bytes
    ) -> Any:
        try:
            query = Fields.parse(self._query).items()
            question = self._command.decodeFields(Fields([*pairs, *query]))
        except MalformedReply as e:
            return Refusal(NOT_YOURS, str(e))
        # Whoever is refused leaves nothing behind.
        session = self._media.whose(Fields(pairs).ticket.vfwebqq, exchange)
        isWelcome = isinstance(session, Session)
        blob = self._media.keep(draft) if draft is not None and isWelcome else None
        return self._taker(question, Received(self._name, blob, beginning), exchange)

    def fail(self, reason: str, exchange: Exchange) -> Any:
        self.lost()
        return Refusal(NOT_YOURS, reason)

    def lost(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            draft.discard()


def _address(exchange: Exchange) -> tuple[str, int]:
    """
    Where to find us, by what the client calls us, else by where it met us.
    """
    host, _, port = exchange.base.rpartition("//")[2].partition(":")
    try:
        ip = str(ipaddress.IPv4Address(host))
        return ip, int(port or 80)
    except ValueError:
        return exchange.local


def _describe(request: Any, name: str, contentType: bytes) -> None:
    headers = request.responseHeaders
    headers.setRawHeaders(b"content-type", [contentType])
    headers.setRawHeaders(b"x-content-type-options", [b"nosniff"])
    # Nothing that somebody sends is shown as a page of ours.
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers.setRawHeaders(b"content-disposition", [disposition.encode()])


def _refuse(request: Any, refusal: Refusal, status: int = 200) -> bytes:
    request.setResponseCode(status)
    request.responseHeaders.removeHeader(b"content-disposition")
    request.setHeader(b"content-type", TEXT)
    return encodeRefusal(refusal)
