"""
The scripts of the chat page by themselves: their types, and their logic in Node.js,
which the wheel of pyright's Node.js brings.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.irc.programs import NODE, missing

HERE = Path(__file__).parent
MODULES = Path(sys.prefix) / "page/node_modules"
UNITS = sorted((HERE / "unit").glob("*.test.js"))


def run(*arguments: str | Path) -> str:
    """
    Run Node.js.

    @return: its output, C{""} if it succeeds.
    """
    result = subprocess.run(
        [NODE, *arguments],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr


def test_units() -> None:
    """
    The tests of the pure modules succeed.
    """
    assert UNITS
    assert run("--test", "--test-reporter=dot", *UNITS) == ""


def test_types() -> None:
    """
    TypeScript finds no error in the types that comments declare.
    """
    compiler = MODULES / "typescript/bin/tsc"
    if not compiler.exists():
        missing("typescript (make test installs it with npm)")
    assert run(compiler, "--project", HERE / "tsconfig.json") == ""


def test_typesAreChecked(tmp_path: Path) -> None:
    """
    A wrong type is found.
    """
    compiler = MODULES / "typescript/bin/tsc"
    if not compiler.exists():
        missing("typescript (make test installs it with npm)")
    file = tmp_path / "wrong.ts"
    file.write_text("const n: number = 'text';", encoding="utf-8")
    assert "TS2322" in run(compiler, "--noEmit", file)
