"""
Reading the configuration file of a running daemon again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python.usage import UsageError

from txwebqq.config.fileoptions import FileOptions
from txwebqq.config.labels import Tree
from txwebqq.systemd.notification import reloading

OptionsT = TypeVar("OptionsT", bound=FileOptions)


class ConfigReloader(Generic[OptionsT]):
    """
    Reads a configuration file again, applies the settings that can change while the
    daemon runs, and logs which these are and which need a restart. A file that is not
    valid changes nothing.

    @param options: those that the daemon runs with.
    @param apply: applies new options; returns the names of the keys that it has
        applied, such as C{server.message-rate}, each with C{True} if a secret has
        changed in the file that the key names.
    @param logged: is called with new options after the log lines about them.
    @param daemon: the service of the process, of which the service manager is told.
    """

    _log = Logger()

    def __init__(
        self,
        options: OptionsT,
        apply: Callable[[OptionsT], Mapping[str, bool]],
        daemon: IService,
        logged: Callable[[OptionsT], object] = lambda options: None,
    ) -> None:
        self._options = options
        self._apply = apply
        self._daemon = daemon
        self._logged = logged
        self._running = _copy(options.tree())

    def __call__(self) -> None:
        """
        Read the file again.
        """
        with reloading(self._daemon):
            try:
                self._reload()
            except Exception:
                self._log.failure("Internal error in the reload of the settings.")

    def _reload(self) -> None:
        assert self._options.file is not None
        file = self._options.file.path
        try:
            options = self._options.again()
        except (UsageError, OSError) as e:
            self._log.error("Not reloaded, nothing is changed: {reason}", reason=str(e))
            return
        applied = self._apply(options)
        changed = [name for name, isNew in applied.items() if isNew]
        kept, tree = [], options.tree()
        for path in differences(self._running, tree):
            name = ".".join(path)
            if name not in applied:
                kept.append(name)
                continue
            _assign(self._running, path, tree)
            if name not in changed:
                changed.append(name)
        for name in changed:
            self._log.info("Reloaded {name} ({file}).", name=name, file=file)
        for name in kept:
            self._log.warn(
                "Needs a restart: {name} ({file}); the former value stays in force.",
                name=name,
                file=file,
            )
        if not (changed or kept):
            self._log.info("Read {file} again: nothing has changed.", file=file)
        self._logged(options)


def differences(
    old: Tree, new: Tree, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """
    Iterate over the keys, and the whole tables, that differ.
    """
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, (*path, key))
        elif before != after:
            yield (*path, key)


def _copy(tree: Tree) -> dict[str, Any]:
    return {
        key: _copy(value) if isinstance(value, dict) else value
        for key, value in tree.items()
    }


def _assign(tree: dict[str, Any], path: tuple[str, ...], source: Tree) -> None:
    *tables, key = path
    for name in tables:
        tree, source = tree[name], source[name]
    if key in source:
        tree[key] = source[key]
    else:
        del tree[key]
