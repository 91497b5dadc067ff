"""
The options C{--operate} and C{--operate-token-file}.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.python.usage import UsageError

import txwebqq.commands.onebottap
import txwebqq.commands.tap
import txwebqq.irc.tap
import txwebqq.server.tap
from txwebqq.operation.options import OperationOptions
from txwebqq.operation.settings import OperationSettings

DAEMONS = [
    txwebqq.commands.tap.Options,
    txwebqq.server.tap.Options,
    txwebqq.irc.tap.Options,
    txwebqq.commands.onebottap.Options,
]


class Options(OperationOptions):
    """
    A daemon with these two options only.
    """

    settings: OperationSettings | None

    def postOptions(self) -> None:
        self.settings = self.readOperation()


TOKEN = "0123456789abcdef"


def parsed(*arguments: str) -> OperationSettings | None:
    options = Options()
    options.parseOptions(list(arguments))
    return options.settings


def writeToken(folder: Path, text: str) -> str:
    path = folder / "token"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_none() -> None:
    """
    Without the option there is no endpoint, and a token for none is an error.
    """
    assert parsed() is None
    with pytest.raises(UsageError, match="--operate-token-file is for --operate only"):
        parsed("--operate-token-file", "nowhere")


LOOPBACKS = [
    "unix:/run/webqq/operate.sock",
    "unix:operate.sock:mode=600",
    "tcp:9100:interface=127.0.0.1",
    "tcp:9100:interface=127.9.9.9",
    "tcp:interface=localhost:port=9100",
    r"tcp6:9100:interface=\:\:1",
]
OTHERS = [
    "tcp:9100",
    "tcp6:9100",
    "tcp:9100:interface=",
    "tcp:9100:interface=0.0.0.0",
    "tcp:9100:interface=192.0.2.1",
    "tcp:9100:interface=127.0.0.1.example",
    r"tcp6:9100:interface=\:\:",
    "tcp:9100:interface=127.0.0.1:interface=0.0.0.0",
]


@pytest.mark.parametrize("endpoint", LOOPBACKS)
def test_loopback(endpoint: str) -> None:
    """
    An endpoint that only this machine can reach needs no token.
    """
    assert parsed("--operate", endpoint) == OperationSettings(endpoint)


@pytest.mark.parametrize("endpoint", OTHERS)
def test_needsToken(endpoint: str, tmp_path: Path) -> None:
    """
    All others need a token.
    """
    with pytest.raises(UsageError, match="others can reach the endpoint"):
        parsed("--operate", endpoint)
    file = writeToken(tmp_path, f"{TOKEN}\n")
    settings = parsed("--operate", endpoint, "--operate-token-file", file)
    assert settings == OperationSettings(endpoint, TOKEN)


def test_shortToken(tmp_path: Path) -> None:
    """
    A token that can be guessed is refused where others can reach the endpoint, and is
    not shown.
    """
    file = writeToken(tmp_path, TOKEN[1:])
    with pytest.raises(UsageError, match="less than 16 characters") as caught:
        parsed("--operate", "tcp:9100", "--operate-token-file", file)
    assert TOKEN[1:] not in str(caught.value)
    local = "tcp:9100:interface=127.0.0.1"
    settings = parsed("--operate", local, "--operate-token-file", file)
    assert settings == OperationSettings(local, TOKEN[1:])


@pytest.mark.parametrize(
    ("endpoint", "match"),
    [
        ("nothing", "--operate nothing"),
        ("tcp:many:interface=127.0.0.1", "--operate tcp:many"),
        ("", "--operate "),
    ],
)
def test_invalid(endpoint: str, match: str) -> None:
    """
    An endpoint that does not exist is named.
    """
    with pytest.raises(UsageError, match=match):
        parsed("--operate", endpoint)


def test_badToken(tmp_path: Path) -> None:
    """
    A token file is readable by its owner only, and its token can be a header; it is
    not shown in the error.
    """
    endpoint = "tcp:9100"
    file = writeToken(tmp_path, "s3c\tret\n")
    with pytest.raises(UsageError, match="--operate-token-file") as caught:
        parsed("--operate", endpoint, "--operate-token-file", file)
    assert "ret" not in str(caught.value).replace("character", "")
    Path(file).chmod(0o644)
    with pytest.raises(UsageError, match="token"):
        parsed("--operate", endpoint, "--operate-token-file", file)
    with pytest.raises(UsageError, match="nowhere"):
        parsed("--operate", endpoint, "--operate-token-file", "nowhere")


def test_withoutLibrary(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without prometheus-client the option is an error that tells how to install it.
    """
    for name in list(sys.modules):
        if name.startswith(("prometheus_client", "txwebqq.operation.registry")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(UsageError, match=r"prometheus-client.*'\.\[metrics\]'"):
        parsed("--operate", LOOPBACKS[0])


@pytest.mark.parametrize("options", DAEMONS)
def test_daemons(options: Any) -> None:
    """
    All daemons have the options, and refuse them when they are given twice or are
    invalid.
    """
    with pytest.raises(UsageError, match=r"--operate .*token is needed"):
        options().parseOptions(["--operate", "tcp:9100"])
    with pytest.raises(UsageError, match="--operate is given 2 times"):
        options().parseOptions(["--operate", "unix:a", "--operate", "unix:b"])
