"""
Handlers of file transfers between accounts that are online (protocol.md 2.7.5).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from twisted.web.server import NOT_DONE_YET

from txwebqq.server.domain.files.offline import GONE
from txwebqq.server.domain.files.transfers import CANCELLED, DECLINED, Transfers
from txwebqq.server.http.downloads import describe, refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.filerelay import FileRelay, FileRelays
from txwebqq.server.http.handlers import answers
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.filetransfers import (
    GetFile2,
    ReceiveFile,
    RefuseFile2,
    SendFile,
)


class FileTransfersAPI:
    """
    The handlers of file transfers.
    """

    def __init__(self, transfers: Transfers, relays: FileRelays) -> None:
        self._transfers = transfers
        self._relays = relays

    @answers(SendFile)
    def sendFile(
        self, command: SendFile, session: Session, source: PausableSource
    ) -> FileRelay:
        """
        C{POST /v2/...}: offer a file to a friend, and upload it.

        @return: the receiver of the file.
        """
        return FileRelay(self._relays, session, command, source)

    @answers(GetFile2)
    def getFile2(
        self, command: GetFile2, session: Session, exchange: HTTPExchange
    ) -> bytes | Refusal:
        """
        C{GET /channel/get_file2}: accept a file, and redirect the client to its
        download.
        """
        transfer = self._transfers.accept(session, command.session, command.sender)
        if isinstance(transfer, Refusal):
            return transfer
        relay = self._relays.get(transfer)
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

    @answers(RefuseFile2)
    def refuseFile2(
        self, command: RefuseFile2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{GET /channel/refuse_file2}: refuse a file, or withdraw the account's own
        offer.
        """
        transfer = self._transfers.get(session, command.session)
        relay = None if transfer is None else self._relays.get(transfer)
        if transfer is None or relay is None:
            return Refusal(GONE, "no such file is offered")
        isMine = transfer.sender == session.number
        relay.abandon(session.number, CANCELLED if isMine else DECLINED)
        return None

    @answers(ReceiveFile)
    def receiveFile(
        self, command: ReceiveFile, session: Session, request: Any
    ) -> int | bytes:
        """
        C{GET /v2/...}: download a file while its sender uploads it.

        @return: the result of L{twisted.web.resource.IResource.render}.
        """
        transfer = self._transfers.get(session, command.session)
        relay = None if transfer is None else self._relays.get(transfer)
        if transfer is None or relay is None or transfer.recipient != session.number:
            return refuse(request, Refusal(GONE, "no such file is offered to you"))
        if not transfer.isAccepted:
            return refuse(request, Refusal(GONE, "get_file2 comes first"))
        describe(request, transfer.name)
        if not relay.attach(request):
            return refuse(
                request, Refusal(GONE, "the file is being downloaded already")
            )
        return NOT_DONE_YET
