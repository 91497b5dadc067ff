"""
The options of C{twistd webqq-server}.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twisted.python.usage import UsageError

from txwebqq.config.endpoints import checkEndpoint
from txwebqq.config.folders import checkFolderOf
from txwebqq.config.passwordfile import readPasswordFile
from txwebqq.daemon import asDaemonUser
from txwebqq.databases.opening import isURL
from txwebqq.errors import InvalidConfiguration
from txwebqq.operation.options import OperationOptions
from txwebqq.server import population
from txwebqq.server.domain.authenticator import GUESSES
from txwebqq.server.domain.history import DAYS, KEEP
from txwebqq.server.faults.faultsfile import MAX_SEED, readFaults
from txwebqq.server.faults.plan import FaultPlan
from txwebqq.server.http.proxies import normal
from txwebqq.server.limits import ConnectionLimits
from txwebqq.server.page.files import PageFiles
from txwebqq.server.records import Population
from txwebqq.server.resource import POLL_TIMEOUT
from txwebqq.server.sessions.captchas import CaptchaMode, captchaRenderer
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.server.uploadquotas import FileLimits
from txwebqq.sqlite.database import MEMORY
from txwebqq.wire.content import MAX_TEXT

OPEN = "open"

LISTEN = "tcp:8890:interface=127.0.0.1"

BACKLOG = 1024
"""Number of connections that may wait to be accepted: after a network failure
all clients reconnect at once."""


class Options(OperationOptions):
    """
    The options of C{twistd webqq-server}.
    """

    command = "twistd webqq-server"
    tableName = "server"
    pathOptions = [
        "database",
        "database-password-file",
        "files",
        "population",
        "faults",
    ]
    synopsis = "[options]"
    longdesc = (
        "Run a WebQQ 3.0 server. A population file is imported at each start: "
        "what is new is added to the database, nothing is changed or removed."
    )

    optParameters = [
        [
            "database",
            None,
            None,
            "SQLite file, or postgresql://USER@HOST/NAME; else all data is in memory.",
        ],
        [
            "database-password-file",
            None,
            None,
            "File with the password for PostgreSQL; default: that of PGPASSFILE.",
        ],
        [
            "files",
            None,
            None,
            "Folder of pictures and files; default: DATABASE.files.",
        ],
        ["population", None, None, "TOML file of accounts, friendships and groups."],
        ["captcha", None, "suspicious", "When to ask: never, always, suspicious."],
        ["captcha-text", None, None, "Text of all captchas, for tests only."],
        ["wrong-passwords", None, f"{GUESSES}", "Guesses of an address in 10 minutes."],
        ["poll-timeout", None, f"{POLL_TIMEOUT:g}", "Seconds to hold a poll."],
        [
            "message-rate",
            None,
            f"{SendingLimits().messages}",
            "Messages of an account in a minute; 0 for any number.",
        ],
        ["signup", None, "closed", "Whether /signup creates accounts: open, closed."],
        ["page", None, "on", "Whether / shows the chat page: on, off."],
        ["history", None, f"{KEEP}", "Messages to keep of a conversation."],
        ["history-days", None, f"{DAYS}", "Days to keep messages."],
        ["max-file", None, "100", "Maximum size of an offline or shared file, in MiB."],
        ["daily-uploads", None, "1024", "MiB that an account may upload in a day."],
        ["address-connections", None, "4000", "Connections that an address may open."],
        [
            "address-requests",
            None,
            "500",
            "Requests that an address may send a second.",
        ],
        ["faults", None, None, "TOML file of faults on purpose, for tests only."],
        ["faults-seed", None, None, "Seed of the faults, in place of the file's."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []
        self["proxies"] = set()

    def opt_listen(self, endpoint: str) -> None:
        """
        Endpoint to listen on; may be given repeatedly.
        [default: tcp:8890:interface=127.0.0.1]
        """
        self["listen"].append(endpoint)

    def opt_trusted_proxy(self, address: str) -> None:
        """
        Reverse proxy to trust: an IP address, or unix; may be given repeatedly.
        """
        try:
            self["proxies"].add(normal(address))
        except ValueError as e:
            raise UsageError(f"--trusted-proxy is not an IP address: {address}") from e

    @property
    def pageLimits(self) -> dict[str, int]:
        """
        The limits that the chat page tells, as
        L{setLimits<txwebqq.server.page.files.PageFiles.setLimits>} takes them.
        """
        limits: FileLimits = self["limits"]
        return {"picture": limits.face, "file": limits.file, "message": MAX_TEXT}

    def postOptions(self) -> None:
        """
        Convert and check the values; open the database and import the population.

        @raise UsageError: when an option is invalid; names the option.
        """
        try:
            self["endpoints"] = [
                (text, _endpoint(text)) for text in self["listen"] or [LISTEN]
            ]
            self["timeout"] = _seconds(self["poll-timeout"])
            self["limits"] = _limits(self["max-file"], self["daily-uploads"])
            self["connections"] = _connections(
                self["address-connections"], self["address-requests"]
            )
            self["keep"] = _count("--history", self["history"], 0, 1_000_000)
            self["days"] = _count("--history-days", self["history-days"], 1, 36_500)
            self.readLogs()
            self["operation"] = self.readOperation()
            guesses = self["wrong-passwords"]
            self["guesses"] = _count("--wrong-passwords", guesses, 1, 1_000_000)
            rate = _count("--message-rate", self["message-rate"], 0, 1_000_000)
            self["sending"] = SendingLimits.perMinute(rate) if rate else None
            self["mode"] = _mode(self["captcha"])
            _checkText(self["captcha-text"])
            isNever = self["mode"] is CaptchaMode.NEVER
            isOpen = _isFirst("--signup", (OPEN, "closed"), self["signup"])
            isPage = _isFirst("--page", ("on", "off"), self["page"])
            _checkDatabase(self["database"])
            self["isFleet"] = isFleet = _isFleet(
                self["database"], self["files"], self["database-password-file"]
            )
            if self.isReload:
                # The rest is needed at the start only.
                return
            # Read before twistd goes to --chroot.
            self["pageFiles"] = PageFiles(isOpen, self.pageLimits) if isPage else None
            self["plan"] = _faults(self["faults"], self["faults-seed"])
            if isFleet:
                _checkFleet(self)
            self["draw"] = None if isNever and not isOpen else captchaRenderer()
            imported, self["warning"] = _loadPopulation(self["population"])
            if self.isTrial:
                return
            twistd: Any = self.parent or {}
            if isFleet:
                with asDaemonUser(twistd):
                    self["password"] = _databasePassword(self["database-password-file"])
                    _importShared(self["database"], self["password"], imported)
                self["files"] = str(Path(self["files"]).absolute())
                self["store"] = self["copy"] = None
                return
            if self["database"] is not None and not twistd.get("chroot"):
                # The service opens it again, after twistd has gone to --rundir.
                self["database"] = str(Path(self["database"]).absolute())
            with asDaemonUser(twistd):
                self["store"], self["copy"] = _openStore(
                    self["database"], self["population"], imported
                )
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e


def _endpoint(text: str) -> str:
    endpoint = text
    if re.match("(tcp6?|ssl):", text) and "backlog=" not in text:
        endpoint += f":backlog={BACKLOG}"
    try:
        checkEndpoint(endpoint)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"--listen {text}: {e}") from e
    return endpoint


def _checkDatabase(file: str | None) -> None:
    if file is None:
        return
    if isURL(file):
        return
    try:
        checkFolderOf(Path(file))
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"--database cannot be used: {e}") from e


def _isFleet(database: str | None, files: str | None, passwordFile: str | None) -> bool:
    """
    Check whether the server is one of several processes with a database.
    """
    if database is None or not isURL(database):
        if passwordFile is not None:
            raise InvalidConfiguration(
                "--database-password-file needs --database postgresql://..."
            )
        return False
    if files is None:
        raise InvalidConfiguration(
            "--files is needed with PostgreSQL: the folder of pictures and files, which"
            " all servers of the database have"
        )
    try:
        checkFolderOf(Path(files))
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"--files cannot be used: {e}") from e
    return True


def _checkFleet(options: Options) -> None:
    if options["plan"] is not None:
        raise InvalidConfiguration("--faults needs an SQLite database, or none")


def _databasePassword(file: str | None) -> str | None:
    return None if file is None else readPasswordFile(Path(file))


def _importShared(url: str, password: str | None, imported: Population) -> None:
    """
    Make the tables if there are none, and import a population; other servers may do
    the same.
    """
    store = Store(url, password=password, hasPeers=True)
    try:
        with store.database.transaction():
            store.database.lockOrder()
            importPopulation(store, imported)
    finally:
        store.close()


def _loadPopulation(file: str | None) -> tuple[Population, str]:
    """
    Read a population, and the warning for the log when others can read its
    passwords, else C{""}. The service cannot read the file when it starts: twistd
    has gone to C{--rundir} by then, and runs as the user of C{--uid}.
    """
    if file is None:
        return Population(), ""
    return population.load(file), population.exposure(file)


def _openStore(
    database: str | None, file: str | None, imported: Population
) -> tuple[Store | None, Path | None]:
    """
    Open the database and import a population.

    @param file: the name of the population file.

    @return: the store, if it is in memory, or L{None} for a database file, which
        is opened again when the service starts, since twistd may have changed the
        process by then; and the copy that was made for an upgrade.
    """
    store = Store(database or MEMORY)
    try:
        importPopulation(store, imported)
    except InvalidConfiguration as e:
        store.close()
        raise InvalidConfiguration(f"{file}: {e}") from e
    if database is None:
        return store, None
    store.close()
    return None, store.copy


def _faults(file: str | None, seed: str | None) -> FaultPlan | None:
    if file is None:
        if seed is not None:
            raise InvalidConfiguration("--faults-seed needs --faults")
        return None
    number = None if seed is None else _count("--faults-seed", seed, 0, MAX_SEED)
    return readFaults(file, number)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 3600.0:
        raise InvalidConfiguration(f"--poll-timeout is not from 0 to 3600: {text}")
    return seconds


def _limits(file: str, daily: str) -> FileLimits:
    size = _bytes("--max-file", file)
    return FileLimits(file=size, daily=max(size, _bytes("--daily-uploads", daily)))


def _connections(connections: str, rate: str) -> ConnectionLimits:
    most = _count("--address-connections", connections, 1, 1_000_000)
    requests = _count("--address-requests", rate, 1, 1_000_000)
    return ConnectionLimits(connections=most, rate=requests, burst=10 * requests)


def _bytes(option: str, text: str) -> int:
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = 0.0
    if not 0.0 < megabytes <= 1_000_000.0:
        raise InvalidConfiguration(f"{option} is not from 0 to 1000000: {text}")
    return int(megabytes * 1024 * 1024)


def _count(option: str, text: str, least: int, most: int) -> int:
    isNumber = text.isascii() and text.isdigit() and len(text) < 10
    if not isNumber or not least <= int(text) <= most:
        raise InvalidConfiguration(f"{option} is not from {least} to {most}: {text}")
    return int(text)


def _isFirst(option: str, words: tuple[str, str], word: str) -> bool:
    if word not in words:
        raise InvalidConfiguration(f"{option} is none of {', '.join(words)}: {word}")
    return word == words[0]


def _mode(word: str) -> CaptchaMode:
    try:
        return CaptchaMode(word)
    except ValueError as e:
        words = ", ".join(mode.value for mode in CaptchaMode)
        raise InvalidConfiguration(f"--captcha is none of {words}: {word}") from e


def _checkText(text: str | None) -> None:
    if text is not None and not re.fullmatch("[A-Za-z0-9]{4,16}", text):
        raise InvalidConfiguration(
            f"--captcha-text is not 4 to 16 of A-Z, a-z and 0-9: {text}"
        )
