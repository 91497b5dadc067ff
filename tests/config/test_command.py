"""
Commands in options and configuration files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from txwebqq.config.command import parseCommand
from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """
    Make a program.
    """
    program = tmp_path / "notify"
    program.touch(mode=0o700)
    return program


def test_words(program: Path, tmp_path: Path) -> None:
    """
    A command is split as by a shell, and its program is found in the folder.
    """
    text = "./notify --to 'you and me' $HOME"
    found = parseCommand(text, tmp_path)
    assert Path(found[0]).samefile(program)
    assert found[1:] == ("--to", "you and me", "$HOME")
    assert Path(found[0]).is_absolute()


def test_relativeFolder(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The folder may be the current one.
    """
    monkeypatch.chdir(program.parent)
    assert parseCommand("./notify", Path()) == (str(program),)


def test_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A name without a slash is looked for in C{PATH} only.
    """
    monkeypatch.setenv("PATH", str(program.parent))
    assert parseCommand("notify", Path("/")) == (str(program),)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InvalidConfiguration, match="no program notify"):
        parseCommand("notify", program.parent)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("./notify 'you", "is no command: No closing quotation"),
        ("./missing", "no program ./missing"),
        ("./plain", "no program ./plain"),
        ("./notify a\0b", "contains a NUL"),
    ],
)
def test_refused(program: Path, text: str, problem: str) -> None:
    """
    The error tells what is wrong with a command.
    """
    (program.parent / "plain").touch(mode=0o600)
    with pytest.raises(InvalidConfiguration, match=problem):
        parseCommand(text, program.parent)


def test_key(program: Path, tmp_path: Path) -> None:
    """
    A key with a command may be missing; its error names table and key.
    """
    values = {"on-state": "./notify x", "other": "./gone"}
    table = ConfigTable("account 1", values, tmp_path)
    assert Path(table.command("on-state")[0]).samefile(program)
    assert table.command("on-state") == ()
    with pytest.raises(InvalidConfiguration, match="account 1: other cannot be used"):
        table.command("other")
