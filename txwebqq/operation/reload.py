"""
Reloading the settings that all daemons have: log level, token and certificates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twisted.application.service import IService

from txwebqq.config.reload import ConfigReloader
from txwebqq.net.certificates import readCertificates
from txwebqq.operation.options import OperationOptions

OptionsT = TypeVar("OptionsT", bound=OperationOptions)


def daemonReloader(
    options: OptionsT,
    daemon: IService,
    operation: Any,
    apply: Callable[[OptionsT], Mapping[str, bool]] = lambda options: {},
) -> ConfigReloader[OptionsT] | None:
    """
    Make the reloader of a daemon, L{None} when it runs without a configuration file.

    @param operation: the service that listens for operators, L{None} for none.
    @param apply: as for L{ConfigReloader}.
    """
    if options.file is None:
        return None
    table = options.tableName
    former = options.readOperation()

    def applyAll(changed: OptionsT) -> Mapping[str, bool]:
        nonlocal former
        readCertificates()
        applied = {f"{table}.log-level": False, **apply(changed)}
        settings = changed.readOperation()
        if settings is None or former is None or operation is None:
            return applied
        if settings.endpoint == former.endpoint:
            # At another endpoint the token may be none, which is not for this one.
            operation.setToken(settings.token)
            isNew = settings.token != former.token
            applied[f"{table}.operate-token-file"] = isNew
            former = settings
        return applied

    def logged(changed: OptionsT) -> None:
        # Before, it would hide the lines about the reload.
        options.logs.levels.set(changed["log-level"])

    return ConfigReloader(options, applyAll, daemon, logged)
