"""
Options that all commands have.
"""

from __future__ import annotations

import re

import pytest
from twisted.python.usage import Options, UsageError

import txwebqq
from txwebqq.commands.tap import Options as ClientOptions
from txwebqq.irc.tap import Options as IRCOptions
from txwebqq.server.admin import main
from txwebqq.server.tap import Options as ServerOptions

COMMANDS = [ClientOptions, ServerOptions, IRCOptions]


@pytest.mark.parametrize("options", COMMANDS)
def test_version(options: type[Options], capsys: pytest.CaptureFixture[str]) -> None:
    """
    C{--version} prints the version of this package.
    """
    with pytest.raises(SystemExit) as ended:
        options().parseOptions(["--version"])
    assert ended.value.code == 0
    version = re.escape(txwebqq.__version__)
    line = rf"twistd webqq\S* \(txwebqq\) {version}, Twisted [0-9.]+\n"
    assert re.fullmatch(line, capsys.readouterr().out)


def test_adminVersion(capsys: pytest.CaptureFixture[str]) -> None:
    """
    So does that of C{webqq-admin}.
    """
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"webqq-admin (txwebqq) {txwebqq.__version__}\n"


@pytest.mark.parametrize(
    ("options", "arguments", "option"),
    [
        (ClientOptions, ["--account", "10001", "--account=10002"], "--account"),
        (ClientOptions, ["--stat=away", "--status=online"], "--status"),
        (ServerOptions, ["--database=a", "--database=b"], "--database"),
        (IRCOptions, ["--config=a", "--config=b"], "--config"),
    ],
)
def test_twice(options: type[Options], arguments: list[str], option: str) -> None:
    """
    An option that takes one value cannot be given twice.
    """
    with pytest.raises(UsageError, match=f"^{option} is given 2 times"):
        options().parseOptions(arguments)


def test_repeated() -> None:
    """
    An option that takes several values can.
    """
    listen = ["--listen=tcp:0", "--listen=tcp6:0", "--captcha=never"]
    options = ServerOptions()
    options.parseOptions([*listen, "--trusted-proxy=::1", "--trusted-proxy=127.0.0.1"])
    assert len(options["listen"]) == 2


def test_adminTwice(capsys: pytest.CaptureFixture[str]) -> None:
    """
    The same holds for C{webqq-admin}.
    """
    line = ["--database=q.db", "account", "add", "10009", "--nick=a", "--nick=b"]
    assert main(line) == 1
    error = capsys.readouterr().err
    assert error == "webqq-admin: --nick is given twice: it takes one value\n"
