"""
Options that may also be in a configuration file.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from twisted.python.reflect import accumulateClassList
from twisted.python.usage import UsageError

from txwebqq.config.keylines import KeyPath
from txwebqq.config.labels import labelled
from txwebqq.config.options import CommandOptions
from txwebqq.config.passwordfile import secretPath
from txwebqq.config.toml import ConfigTable, isInteger, nearText
from txwebqq.config.tomlfile import TOMLFile
from txwebqq.errors import InvalidConfiguration

_OPTION = re.compile("--([a-z][a-z0-9-]*)")
_CHOICE = re.compile("is none of (.+): (.+)$")
_SECRET = ("password-file", "token-file")

NEVER = frozenset({"config", "help", "version"})
"""The options that are on the command line only."""


@dataclass(frozen=True, slots=True)
class OptionValue:
    """
    The value of an option in a configuration file.

    @ivar texts: the values as on the command line; several for an option that may
        be given repeatedly, C{None} for a flag.
    @ivar where: the key.
    @ivar table: the name of the table, for error messages.
    @ivar positions: those of the texts in the key's list, C{()} for one value.
    """

    texts: tuple[str | None, ...]
    where: KeyPath
    table: str
    positions: tuple[int, ...] = ()

    def whereOf(self, index: int) -> KeyPath:
        """
        Return the place of a text in the file.
        """
        return (*self.where, *self.positions[index : index + 1])

    def without(self, index: int) -> OptionValue:
        """
        Return the value without one of its texts.
        """
        texts = self.texts[:index] + self.texts[index + 1 :]
        positions = self.positions[:index] + self.positions[index + 1 :]
        return replace(self, texts=texts, positions=positions)


Values = Mapping[str, OptionValue]


class FileOptions(CommandOptions):
    """
    Options of a command, with C{--config}. A table of that file has the options'
    names as keys; an option on the command line wins.

    @cvar tableName: the name of that table.
    @cvar pathOptions: the options whose values are paths, which are relative to the
        folder of the file there; a URL stays as it is.

    @ivar isTrial: whether the options are only checked, so that nothing may be
        opened or changed.
    @ivar isReload: whether the daemon runs already.
    @ivar refused: in a trial, the options of the file that were wrong and are left
        out.
    @ivar given: the command line.
    @ivar valuesGiven: the values of all options that are given, in the file or on the
        command line.
    @ivar file: the file, L{None} for none.
    @ivar path: its path, L{None} for that on the command line.
    """

    optParameters = [
        [
            "config",
            None,
            None,
            "A TOML file with these options, without their dashes, as keys.",
        ]
    ]
    tableName = ""
    pathOptions: list[str] = []

    isTrial = False
    isReload = False
    refused: frozenset[str] = frozenset()
    given: Sequence[str] = ()
    valuesGiven: Mapping[str, tuple[str | None, ...]] = {}
    file: TOMLFile | None = None
    path: Path | None = None

    def trial(self) -> Self:
        """
        Make an empty object of this class, to check options with.
        """
        made = type(self)()
        made.parent = self.parent
        made.isTrial = True
        made.isReload = self.isReload
        made.file = self.file
        return made

    def again(self) -> Self:
        """
        Read the file again, without an effect on this object or on anything else.

        @raise UsageError: when it is not valid any more.
        """
        made = self.trial()
        made.isReload = True
        if self.file is not None:
            # The folder of the process may be another one by now.
            made.path = self.file.path
        made.parseOptions(self.given)
        return made

    def tree(self) -> dict[str, Any]:
        """
        Return the settings by the names of their tables and keys: those of the file,
        and in the table C{tableName} also those of the command line.
        """
        values = {} if self.file is None else self.file.values
        tree = labelled({k: v for k, v in values.items() if k != self.tableName})
        own = {k: v for k, v in self.valuesGiven.items() if k not in NEVER}
        return {**tree, self.tableName: own}

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse the command line, and the file that it names.

        @raise UsageError: when one of them is not valid; names the option, or the
            file, the line, the table and the key.
        """
        self.given = self.arguments(options)
        self.refuseTwice(self.given)
        found = self.found(self.given)
        name = dict(found).get("config")
        values: Values = {}
        if name is not None:
            try:
                self.file = TOMLFile.read(self.path or Path(name))
                values = self.readFile(self.file, found)
                if self.file.hasProblems():
                    tryValues(self, self.file, values, found)
                self.file.check()
            except InvalidConfiguration as e:
                raise UsageError(str(e)) from e
        self.valuesGiven = merged(values, found)
        try:
            super().parseOptions([*asArguments(values, found), *self.given])
        except UsageError:
            if self.file is not None:
                tryValues(self, self.file, values, found)
                try:
                    self.file.check()
                except InvalidConfiguration as e:
                    raise UsageError(str(e)) from e
            raise

    def checkFile(self, file: TOMLFile) -> None:
        """
        Collect all that is wrong in a configuration file.

        @raise InvalidConfiguration: when the reading cannot go on.
        """
        self.isTrial = True
        self.file = file
        values = self.readFile(file, [])
        tryValues(self, file, values, [("config", str(file.path))])

    def readFile(self, file: TOMLFile, found: Sequence[tuple[str, str]]) -> Values:
        """
        Read a configuration file.

        @param found: the options of the command line.

        @return: the values of options in the file.
        """
        root = ConfigTable.of(file)
        for key in root:
            if key in self.tableKeys() and not isinstance(file.values[key], dict):
                root.refuse(key, "is in no table", f"write it below [{self.tableName}]")
        table = root.table(self.tableName)
        values: Values = {}
        if table is not None:
            values = readValues(table, file, self, self.tableKeys())
        values = self.readTables(root, values, found)
        root.close()
        if not file.values:
            file.report((), f"it is empty: write at least [{self.tableName}]")
        return values

    def tableKeys(self) -> set[str]:
        """
        Return the options that may be in the table C{tableName}.
        """
        return self.names() - NEVER

    def readTables(
        self, root: ConfigTable, values: Values, found: Sequence[tuple[str, str]]
    ) -> Values:
        """
        Read the other tables of the file.

        @param values: the values of options in the table C{tableName}.
        @param found: the options of the command line.

        @return: the values that are options of this object.
        """
        return values


class ConfigFileOptions(FileOptions):
    """
    Options of a command that needs a configuration file; its other tables are the
    value of C{configuration}.
    """

    synopsis = "--config FILE.toml"

    @abstractmethod
    def readConfiguration(self, root: ConfigTable) -> Any:
        """
        Read the tables of the configuration file.
        """

    def readTables(
        self, root: ConfigTable, values: Values, found: Sequence[tuple[str, str]]
    ) -> Values:
        self["configuration"] = self.readConfiguration(root)
        return values

    def postOptions(self) -> None:
        """
        @raise UsageError: when the file is missing.
        """
        if self["config"] is None:
            raise UsageError("--config is missing")


def readValues(
    table: ConfigTable, file: TOMLFile, options: FileOptions, names: Collection[str]
) -> dict[str, OptionValue]:
    """
    Read the table whose keys are names of options.

    @param options: of the command.
    @param names: the options that may be in the table.
    """
    parameters: list[list[Any]] = []
    accumulateClassList(type(options), "optParameters", parameters)
    defaults = {each[0]: each[2] for each in parameters}
    paths: list[str] = []
    accumulateClassList(type(options), "pathOptions", paths)
    values = {}
    for name in sorted(names):
        if not table.has(name):
            continue
        where = (*table.where, name)
        if options.takesValue(name) and name not in defaults:
            entries = table.entries(name, ())
            if entries:
                positions, several = zip(*entries, strict=True)
                values[name] = OptionValue(several, where, table.name, positions)
            continue
        texts = _texts(table, name, options.takesValue(name), defaults, name in paths)
        if name in paths:
            texts = _resolved(table, file, name, texts)
        if texts:
            values[name] = OptionValue(texts, where, table.name)
    table.close()
    return values


def _texts(
    table: ConfigTable,
    name: str,
    takesValue: bool,
    defaults: Mapping[str, object],
    isPath: bool,
) -> tuple[str | None, ...]:
    if not takesValue:
        return (None,) if table.boolean(name, False) else ()
    value = table.value(name)
    default = defaults[name]
    isNumber = isInteger(value) or isinstance(value, float)
    if isNumber and not isPath and (default is None or _isNumber(default)):
        return (str(value),)
    if isinstance(value, list):
        table.refuse(name, "takes one value, not a list")
    elif not isinstance(value, str) and default is not None and _isNumber(default):
        table.refuse(name, "is not a number")
    elif not isinstance(value, str):
        table.refuse(name, "is not a text", f'write {name} = "..."')
    elif not value:
        table.refuse(name, "is empty")
    elif "\0" in value:
        table.refuse(name, "contains a NUL")
    else:
        return (value,)
    return ()


def _isNumber(default: object) -> bool:
    return str(default).replace(".", "", 1).isdigit()


def _resolved(
    table: ConfigTable, file: TOMLFile, name: str, texts: tuple[str | None, ...]
) -> tuple[str | None, ...]:
    if not name.endswith(_SECRET):
        if texts and "://" in (texts[0] or ""):
            return texts
        return tuple(str(file.folder / (text or "")) for text in texts)
    paths = [secretPath(text or "", file.folder) for text in texts]
    if not all(path.exists() for path in paths):
        table.refuseFile(name)
        return ()
    return tuple(map(str, paths))


def merged(
    values: Values, found: Sequence[tuple[str, str]]
) -> dict[str, tuple[str | None, ...]]:
    """
    Return the texts of all options that are given.

    @param values: those of the file.
    @param found: those of the command line, which win.
    """
    given: dict[str, tuple[str | None, ...]] = {}
    for name, text in found:
        given[name] = (*given.get(name, ()), text)
    return {**{name: value.texts for name, value in values.items()}, **given}


def asArguments(values: Values, found: Iterable[tuple[str, str]]) -> list[str]:
    """
    Return the values of a file as arguments of a command line.

    @param found: the options of the command line, which win.
    """
    onCommandLine = {name for name, _ in found}
    return [
        f"--{name}" if text is None else f"--{name}={text}"
        for name, value in values.items()
        if name not in onCommandLine
        for text in value.texts
    ]


def lineOf(options: CommandOptions, found: Iterable[tuple[str, str]]) -> list[str]:
    """
    Return options of a command line as its arguments.
    """
    return [
        f"--{name}={text}" if options.takesValue(name) else f"--{name}"
        for name, text in found
    ]


def tryValues(
    options: FileOptions,
    file: TOMLFile,
    values: Values,
    found: Sequence[tuple[str, str]],
    where: KeyPath = (),
    table: str = "",
) -> None:
    """
    Report the values of a configuration file that the options do not accept: after
    each error the value, or the entry of its list, is left out, and the options are
    tried again.

    @param found: the options of the command line.
    @param where: the table in which a missing option is reported.
    @param table: its name.
    """
    remaining = dict(values)
    # Those that were left out before are reported already.
    refused = {
        name
        for name in options.names() - remaining.keys()
        if file.hasProblems((*where, name))
    }
    line = lineOf(options, found)
    onCommandLine = {name for name, _ in found}

    def errorOf(tried: Values) -> str:
        trial = options.trial()
        trial.refused = frozenset(refused)
        try:
            CommandOptions.parseOptions(trial, [*asArguments(tried, found), *line])
        except UsageError as e:
            return str(e)
        return ""

    while True:
        text = error = errorOf(remaining)
        if not error:
            return
        named = _OPTION.findall(text)
        if not named:
            # The longest value in the text: short ones are there by chance.
            matches = [
                (len(each), name)
                for name, value in remaining.items()
                for each in value.texts
                if each and each in text
            ]
            named = [max(matches)[1]] if matches else []
            text = f"{named[0]} cannot be used: {text}" if named else text
        if any(name in onCommandLine for name in named):
            return
        isConsequence = any(name in refused for name in named)
        wrong = next((name for name in named if name in remaining), None)
        if wrong is not None:
            value = remaining[wrong]
            # The wrong entry of a list is that without which the error is another.
            last = len(value.texts) - 1
            index = next(
                (
                    each
                    for each in range(last)
                    if errorOf({**remaining, wrong: value.without(each)}) != error
                ),
                last,
            )
            remaining[wrong] = value.without(index)
            if not remaining[wrong].texts:
                del remaining[wrong]
                refused.add(wrong)
            if not isConsequence:
                file.report(value.whereOf(index), _sentence(value.table, text))
            continue
        if not named:
            file.report(where, _sentence(table, text))
        if isConsequence or not named:
            return
        # An option is missing.
        file.report((*where, named[0]), _sentence(table, text))
        refused.update(named)


def _sentence(table: str, error: str) -> str:
    text = _OPTION.sub(r"\1", error)
    choice = _CHOICE.search(text)
    if choice is not None:
        near = nearText(choice[2], choice[1].split(", "))
        text += f"; {near}" if near else ""
    return f"{table}: {text}" if table else text
