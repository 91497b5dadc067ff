"""
Replies to requests whose path the server does not know.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.web.http import NOT_FOUND, OK
from twisted.web.server import Request

from txwebqq.server.http.downloads import refuse
from txwebqq.server.http.refusallog import RefusalLog
from txwebqq.wire.command import Refusal

UNKNOWN_PATH = 100000


class UnknownPaths:
    """
    Refuses requests of unknown paths with status 404, or with 200 where the path may
    be that of a command which a client knows and this server does not: some clients
    stop after a 404 (compatibility.md 2).

    @param paths: the paths of all commands.
    """

    def __init__(self, paths: Iterable[bytes], log: RefusalLog) -> None:
        self._log = log
        self._folders = {_folderOf(path) for path in paths} - {b""}

    def refuse(self, request: Request, path: bytes, address: str) -> bytes:
        """
        Set the headers of the refusal, log it, and return the body.
        """
        self._log.refused(path, address, "no such path")
        status = OK if _folderOf(path) in self._folders else NOT_FOUND
        return refuse(request, Refusal(UNKNOWN_PATH, "no such path"), status)


def _folderOf(path: bytes) -> bytes:
    """
    Return the first name in a path with several names, C{b""} for other paths.
    """
    _, _, rest = path.partition(b"/")
    folder, slash, _ = rest.partition(b"/")
    return folder if slash else b""
