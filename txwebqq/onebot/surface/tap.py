"""
The plugin C{twistd webqq-onebot}: accounts for bots that speak OneBot 11.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.python.usage import UsageError

from txwebqq.client import WebQQClient, connect
from txwebqq.daemon import (
    LogFileOwner,
    StartupError,
    escapeUnencodable,
    handleSignals,
    listenErrorText,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.interfaces import FactoryOf
from txwebqq.onebot.surface.config import SurfaceSettings, load
from txwebqq.onebot.surface.protocol import SurfaceProtocol
from txwebqq.onebot.surface.service import SurfaceService
from txwebqq.options import CommandOptions
from txwebqq.service import CAPTCHA_RETRY, WebQQService


class Options(CommandOptions):
    """
    The command-line options.
    """

    command = "twistd webqq-onebot"
    synopsis = "--config FILE.toml"
    longdesc = (
        "Let bots that speak OneBot 11 use QQ accounts, which stay signed on: by"
        " WebSockets that either side opens, or over HTTP."
    )
    optParameters = [["config", None, None, "The configuration file."]]

    def postOptions(self) -> None:
        """
        Read the configuration file.

        @raise UsageError: when the file is missing or invalid.
        """
        if self["config"] is None:
            raise UsageError("--config is missing")
        try:
            self["settings"] = load(Path(self["config"]))
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e


class OneBotDaemon(MultiService):
    """
    All accounts. The process ends when one of them cannot listen.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.clients: list[WebQQClient] = []

    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()  # type: ignore[no-untyped-call]
        except CannotListenError as e:
            where = f"{e.interface}:{e.port}" if e.port else e.interface
            raise StartupError(f"Cannot listen on {where}: {listenErrorText(e)}") from e

    def stopService(self) -> Deferred[None]:
        """
        Stop everything.

        @return: fires when all connections are closed.
        """
        stopped = maybeDeferred(super().stopService)

        async def stop() -> None:
            await stopped
            for client in self.clients:
                await client.close()

        return Deferred.fromCoroutine(stop())


def makeService(options: Options) -> IService:
    """
    Build the service that C{twistd} runs.
    """
    from twisted.internet import reactor

    escapeUnencodable()
    clock: Any = reactor
    twistd: Any = options.parent or {}
    clock.callWhenRunning(handleSignals, clock, bool(twistd.get("nodaemon")))
    daemon = OneBotDaemon()
    LogFileOwner(twistd).setServiceParent(daemon)  # type: ignore[no-untyped-call]
    accounts: tuple[SurfaceSettings, ...] = options["settings"]
    for settings in accounts:
        client = connect(clock, settings.server, settings.caFile)
        daemon.clients.append(client)

        def makeAccount(
            factory: FactoryOf[SurfaceProtocol],
            settings: SurfaceSettings = settings,
            client: WebQQClient = client,
        ) -> Any:
            return WebQQService(
                settings.account,
                factory,
                client,
                clock,
                era=settings.era,
                captchaRetry=CAPTCHA_RETRY,
            )

        try:
            service: Any = SurfaceService(settings, makeAccount, clock)
        except InvalidConfiguration as e:
            raise StartupError(f"{options['config']}: {e}") from e
        service.setServiceParent(daemon)
    return daemon
