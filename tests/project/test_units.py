"""
The systemd units and the Containerfile of the examples.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.irc.programs import program
from txwebqq.commands import onebottap, tap
from txwebqq.irc import tap as irctap
from txwebqq.server import tap as servertap

ROOT = Path(__file__).parents[2]
UNITS = sorted(
    [
        *(ROOT / "examples/systemd").iterdir(),
        *(ROOT / "examples/fleet").glob("*.service"),
    ]
)
SERVICES = [each for each in UNITS if each.suffix == ".service"]
CONTAINER = (ROOT / "examples/Containerfile").read_text(encoding="utf-8")
EXPOSURE = 1.5
"""The exposure that C{systemd-analyze security} may find at most, of 10."""

OPTIONS: dict[str, Any] = {
    "webqq": tap.Options,
    "webqq-server": servertap.Options,
    "webqq-irc": irctap.Options,
    "webqq-onebot": onebottap.Options,
}


def analyze(*argv: str) -> subprocess.CompletedProcess[str]:
    systemd = program("systemd-analyze")
    return subprocess.run([systemd, *argv], capture_output=True, text=True)


def checkCommand(words: list[str]) -> None:
    """
    Check that a command of twistd has the options that it is given.
    """
    twistd = words.index("--pidfile=")
    assert words[twistd - 1] == "-n"
    known = OPTIONS[words[twistd + 1]]().longOpt
    for word in words[twistd + 2 :]:
        if word.startswith("--"):
            assert word.removeprefix("--") + "=" in known


def test_verify(tmp_path: Path) -> None:
    """
    systemd finds nothing to say about the units.
    """
    twistd = str(Path(sys.executable).with_name("twistd"))
    names = []
    for each in UNITS:
        text = each.read_text(encoding="utf-8")
        (tmp_path / each.name).write_text(
            text.replace("/opt/txwebqq/bin/twistd", twistd), encoding="utf-8"
        )
        names.append(str(tmp_path / each.name.replace("@.", "@10002.")))
    found = analyze("verify", "--man=no", *names)
    # systemd looks at the units of the machine as well.
    ours = [line for line in found.stderr.splitlines() if "webqq" in line]
    assert ours == []


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_security(unit: Path) -> None:
    """
    The daemons are exposed to little.
    """
    limit = f"--threshold={EXPOSURE * 10:.0f}"
    found = analyze("security", "--offline=true", "--no-pager", limit, str(unit))
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_options(unit: Path) -> None:
    """
    The commands have the options that the units give them.
    """
    text = unit.read_text(encoding="utf-8").replace("\\\n", "")
    [command] = re.findall("^ExecStart=(.*)$", text, re.MULTILINE)
    checkCommand(shlex.split(command))
    # SIGHUP stops a daemon that has no file to read again.
    assert ("\nExecReload=/bin/kill -HUP $MAINPID\n" in text) == (" --config " in text)
    assert "Type=notify" in text
    assert "\nRestartPreventExitStatus=1\n" in text


def test_container() -> None:
    """
    The Containerfile copies what is there, has a command with options that exist,
    does not run as root, and holds no secret.
    """
    for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINER, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", CONTAINER, re.MULTILINE)
    [command] = re.findall(r"^CMD (.*)$", CONTAINER.replace("\\\n", ""), re.MULTILINE)
    words = [
        shlex.split(each.strip("[] ").replace(",", " ")) for each in (entry, command)
    ]
    checkCommand([*words[0], *words[1]])
    last = CONTAINER[CONTAINER.rindex("\nFROM") :]
    assert re.search(r"^USER (?!root|0)", last, re.MULTILINE)
    assert not re.search(r"password|secret|token", CONTAINER, re.IGNORECASE)
