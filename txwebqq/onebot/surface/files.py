"""
Files of groups: their ids, and those that bots name for sending.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from txwebqq.model import GroupFile
from txwebqq.net.bodies import FileSource
from txwebqq.onebot.surface.pictures import PictureLoader
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed

MAX_FILE = 32 * 1024 * 1024
"""Maximum size of a file that is held in memory, in bytes."""

MAX_KNOWN = 2000
"""Files that are remembered."""


class SharedFiles:
    """
    Remembers the files of groups by their ids, from which the keys cannot be told.
    """

    def __init__(self) -> None:
        self._known: dict[str, GroupFile] = {}

    def keep(self, file: GroupFile) -> str:
        """
        Remember a file.

        @return: its id, always the same for the same file.
        """
        name = "/" + sha256(file.key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._known.pop(name, None)
        self._known[name] = file
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        return name

    def get(self, name: str) -> GroupFile | None:
        """
        Return a file, L{None} if it is not known or forgotten.
        """
        return self._known.get(name)

    def drop(self, name: str) -> None:
        """
        Forget a file.
        """
        self._known.pop(name, None)


class FileLoader:
    """
    Finds the files that bots name: C{base64://}, C{http://} and C{https://}, and paths
    in one folder. Bots need not be allowed to read the files of this machine.

    @param loader: fetches what is not on this machine.
    @param folder: L{None} for none.
    """

    def __init__(self, loader: PictureLoader, folder: Path | None) -> None:
        self._loader = loader
        self._folder = folder

    async def load(self, file: str) -> FileSource:
        """
        Find a file.

        @raise CallFailed: when it is not allowed, does not exist or is too large.
        """
        scheme, _, rest = file.partition("://")
        match scheme.lower():
            case "base64" | "http" | "https":
                url = f"{scheme.lower()}://{rest}"
                return await self._loader.fetch(url, MAX_FILE, "file")
            case "file" if rest.startswith("/"):
                return self._inFolder(unquote(rest))
            case _ if file.startswith("/"):
                return self._inFolder(file)
        raise CallFailed(
            "the file is none: give base64://, http://, or the absolute path of a"
            " file in files-folder",
            MALFORMED,
        )

    def _inFolder(self, path: str) -> Path:
        if self._folder is None:
            raise CallFailed(
                "no files of this machine are sent: files-folder is not set"
            )
        try:
            resolved = Path(path).resolve()
            isAllowed = resolved.is_relative_to(self._folder.resolve())
            if isAllowed and resolved.is_file():
                return resolved
        except (OSError, ValueError, RuntimeError):
            pass
        raise CallFailed("there is no such file in files-folder")
