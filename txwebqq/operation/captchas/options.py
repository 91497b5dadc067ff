"""
The option C{--captcha-folder}, and the ways of a daemon to show captchas.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.python.usage import UsageError

from txwebqq.config.options import CommandOptions
from txwebqq.errors import InvalidConfiguration
from txwebqq.operation.captchas.asking import CaptchaWay
from txwebqq.operation.captchas.folder import CaptchaFolder, checkFolder
from txwebqq.operation.captchas.form import CaptchaForm
from txwebqq.operation.settings import OperationSettings


class CaptchaOptions(CommandOptions):
    """
    Options of a daemon whose accounts may have to answer captchas.
    """

    pathOptions = ["captcha-folder"]

    optParameters = [
        [
            "captcha-folder",
            None,
            None,
            "A folder for the images of captchas, and for their answers.",
        ]
    ]

    def readCaptchaFolder(self) -> Path | None:
        """
        Return the folder for captchas, L{None} for none.

        @raise UsageError: when it cannot be used; names the option.
        """
        name = self["captcha-folder"]
        if name is None:
            return None
        folder = Path(name).absolute()
        try:
            checkFolder(folder)
        except InvalidConfiguration as e:
            raise UsageError(f"--captcha-folder: {e}") from e
        return folder


NO_WAY = (
    "To answer captchas, configure captcha-folder (a folder for them) or operate (its"
    " page /captcha)."
)
"""The advice for a daemon without a way."""


class CaptchaWays:
    """
    The ways of a daemon.

    @param folder: the folder for captchas, L{None} for none.
    @param operation: the endpoint for operators, L{None} for none.

    @ivar ways: the ways, perhaps none.
    """

    def __init__(
        self,
        folder: Path | None,
        operation: OperationSettings | None,
        clock: IReactorTime,
    ) -> None:
        self._clock = clock
        self._form: CaptchaForm | None = None
        self.ways: list[CaptchaWay] = []
        if folder is not None:
            self.ways.append(CaptchaFolder(folder, clock))
        if operation is not None:
            self._form = CaptchaForm(operation.token, clock.seconds)
            self.ways.append(self._form)

    def reload(self, folder: Path | None, table: str) -> dict[str, bool]:
        """
        Use another folder for the captchas that come from now on, if there was one, and
        is one still: the texts for users tell of the ways that there were at the start.

        @param table: the table of the daemon.

        @return: as C{apply} of L{ConfigReloader<txwebqq.config.reload.ConfigReloader>}.
        """
        for place, way in enumerate(self.ways):
            if isinstance(way, CaptchaFolder) and folder is not None:
                self.ways[place] = CaptchaFolder(folder, self._clock)
                return {f"{table}.captcha-folder": False}
        return {}

    @property
    def advice(self) -> str:
        """
        The sentence that tells where captchas are answered, or what to configure for
        that.
        """
        places = []
        if any(isinstance(way, CaptchaFolder) for way in self.ways):
            places.append("in the folder of captcha-folder")
        if self._form is not None:
            places.append("at the page /captcha of operate")
        if places:
            return f"Answer it {' or '.join(places)}."
        return NO_WAY

    def addPage(self, service: Any) -> None:
        """
        Add the page to the endpoint for operators
        (L{txwebqq.operation.service.OperationService}).
        """
        if self._form is not None:
            service.addPage(b"captcha", self._form)
