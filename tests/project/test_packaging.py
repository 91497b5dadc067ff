"""
The files of the distributions, and that Twisted finds the plugin in them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Literal

import pytest
from build import ProjectBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pyproject_hooks import quiet_subprocess_runner

ROOT = Path(__file__).parents[2]
SYSTEM = ROOT / ".venv/system/bin/python"
PLUGIN = "twisted/plugins/txwebqq_plugins.py"
COMMANDS = {
    "webqq": "A WebQQ account that is kept signed on.",
    "webqq-server": "A self-hosted WebQQ 3.0 server.",
}

# What a build leaves in a checkout must not get into the next one.
NOT_SOURCE = shutil.ignore_patterns(
    *(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "dropin.cache"),
    *("*.egg-info", "build", "dist", "_build"),
)


@dataclass
class Built:
    """
    The distributions, and a wheel that was made from the source distribution.
    """

    sdist: Path
    wheel: Path
    wheelOfSdist: Path


def build(source: Path, kind: Literal["sdist", "wheel"], into: Path) -> Path:
    builder = ProjectBuilder(source, runner=quiet_subprocess_runner)
    return Path(builder.build(kind, into))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    base = tmp_path_factory.mktemp("packaging")
    source = base / "source"
    shutil.copytree(ROOT, source, ignore=NOT_SOURCE)
    sdist = build(source, "sdist", base)
    with tarfile.open(sdist) as archive:
        # Python 3.11 has filters from 3.11.4 on.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(base / "unpacked")
    [unpacked] = (base / "unpacked").iterdir()
    return Built(
        sdist=sdist,
        wheel=build(source, "wheel", base / "tree"),
        wheelOfSdist=build(unpacked, "wheel", base / "sdist"),
    )


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def twistd(python: str | Path, cwd: Path, *args: str, **environment: str) -> str:
    done = subprocess.run(
        [python, "-c", "from twisted.scripts.twistd import run; run()", *args],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "200"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def offered(text: str) -> dict[str, str]:
    """
    The commands that C{twistd --help} lists, with what it says of each.
    """
    lines = text.partition("Commands:\n")[2].splitlines()
    pairs = [line.strip().partition(" ") for line in lines]
    return {name: words.strip() for name, _, words in pairs}


def test_wheelContents(built: Built) -> None:
    """
    A wheel holds all our modules, the plugin and the mark that we are typed;
    of Twisted it brings nothing along.
    """
    modules = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("txwebqq/**/*.py")}
    held = {name for name in contents(built.wheel) if ".dist-info/" not in name}
    pages = ("txwebqq/operation/page/*", "txwebqq/server/page/static/**/*")
    files = {
        p.relative_to(ROOT).as_posix()
        for one in pages
        for p in ROOT.glob(one)
        if p.is_file()
    }
    assert held == modules | files | {PLUGIN, "txwebqq/py.typed"}


WITHOUT_EXTRAS = """\
import sys
sys.modules.update(dict.fromkeys({absent!r}))
from txwebqq.server.tap import Options
options = Options()
options.parseOptions({arguments!r})
assert options["draw"]("ABCD").startswith(b"\\xff\\xd8")
import txwebqq.irc.tap, txwebqq.server.admin, txwebqq.commands.tap
"""


def required() -> Iterator[str]:
    """
    Generate the distributions that C{pip install .} installs.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pending = [Requirement(one) for one in project["project"]["dependencies"]]
    done = set[tuple[str, str]]()
    while pending:
        requirement = pending.pop()
        yield canonicalize_name(requirement.name)
        for extra in requirement.extras or {""}:
            if (requirement.name, extra) not in done:
                done.add((requirement.name, extra))
                pending += [
                    one
                    for one in map(Requirement, requires(requirement.name) or ())
                    if one.marker is None or one.marker.evaluate({"extra": extra})
                ]


def test_noExtras(tmp_path: Path) -> None:
    """
    Without the extras all commands work, also a server that draws captchas.
    """
    installed = {"txwebqq", *required()}
    absent = [
        module
        for module, names in packages_distributions().items()
        if not installed & {canonicalize_name(name) for name in names}
        and not module.startswith("_")
    ]
    assert "pytest" in absent
    code = WITHOUT_EXTRAS.format(absent=absent, arguments=["--captcha", "always"])
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_sdistBuildsSameWheel(built: Built) -> None:
    """
    A build from the source distribution gives the same wheel.
    """
    assert contents(built.wheelOfSdist) == contents(built.wheel)


def test_sdistContents(built: Built) -> None:
    """
    The source distribution can be tested and documented: it has the tests,
    the pages and the tools' settings.
    """
    with tarfile.open(built.sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    expected = {
        ".ci/run",
        "LICENSE",
        "Makefile",
        "NEWS.md",
        "SECURITY.md",
        "docs/conf.py",
    }
    tests = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("tests/**/*.py")}
    assert expected | tests <= held
    assert not [name for name in held if "dropin.cache" in name or ".pyc" in name]


def test_wheelOffersCommands(built: Built, tmp_path: Path) -> None:
    """
    With the wheel installed, C{twistd} has our commands, and they have all the
    modules they need.
    """
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env/bin/python"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", python, "install"),
            *("--quiet", "--no-deps", "--no-index", built.wheel),
        ],
        check=True,
    )
    [site] = (tmp_path / "env/lib").glob("python*/site-packages")
    # What we depend on, but not the checkout that is installed beside it: pth
    # files are not read in directories that a pth file names.
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("\n".join(sorted(paths)))
    assert COMMANDS.items() <= offered(twistd(python, tmp_path, "--help")).items()
    for command in COMMANDS:
        assert f" {command} [options]" in twistd(python, tmp_path, command, "--help")


@pytest.mark.long
@pytest.mark.skipif(
    not SYSTEM.exists() or sys.prefix == str(SYSTEM.parents[1]),
    reason="make test-long has made no environment with the system's Python",
)
def test_systemPython() -> None:
    """
    The tests of this module pass with the Python of the operating system, too.
    """
    subprocess.run(
        [SYSTEM, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        cwd=ROOT,
        check=True,
    )


def test_checkoutOffersCommands(tmp_path: Path) -> None:
    """
    An editable install has our commands, as has a checkout on C{PYTHONPATH}.
    """
    installed = twistd(sys.executable, tmp_path, "--help")
    bare = twistd(sys.executable, tmp_path, "--help", PYTHONPATH=os.fspath(ROOT))
    for text in (installed, bare):
        assert COMMANDS.items() <= offered(text).items()
