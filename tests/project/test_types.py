"""
Applications pass the type checkers that their authors use: mypy without
plugins, and pyright.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.test_docs import TUTORIAL, namedFiles

ROOT = Path(__file__).parents[2]

EXAMPLES = ("echo.py", "embed.py", "demo_bots.py")
"""Without C{demo.py}, which uses interfaces of Twisted's reactor."""

TYPED = {"counter.py"}
"""The files of the tutorial that have all annotations."""

WRONG = """
from txwebqq.client import WebQQClient
from txwebqq.model import Account
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.service import WebQQService
from typing import Any


class Todo(WebQQProtocol):
    factory: "TodoFactory"

    def tasks(self) -> int:
        return self.factory.count


class TodoFactory(WebQQFactory):
    protocol = Todo
    count = 1


async def right(account: Account, client: WebQQClient, clock: Any) -> int:
    service = WebQQService(account, TodoFactory(), client, clock)
    todo = await service.whenSignedOn()
    await todo.sendMessage(next(iter(todo.buddies)), ["hi"])
    return todo.tasks()


async def wrong(service: WebQQService[Todo], plain: WebQQService) -> str:
    todo = await service.whenSignedOn()
    todo.factory.nothing  # 1
    await todo.sendMessage(next(iter(todo.buddies)), b"hi")  # 2
    protocol = await plain.whenSignedOn()
    protocol.tasks()  # 3
    return todo.tasks()  # 4


def bad(account: Account, client: WebQQClient, clock: Any) -> None:
    WebQQService(account, Todo(), client, clock)  # 5
"""
MARKED = {n for n, line in enumerate(WRONG.splitlines(), 1) if "  # " in line}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    The examples and the files of the tutorial.
    """
    for name in EXAMPLES:
        shutil.copy(ROOT / "examples" / name, tmp_path / name)
    tutorial = tmp_path / "tutorial"
    tutorial.mkdir()
    for name, text in namedFiles(TUTORIAL):
        if name.endswith(".py") and not name.startswith("test_"):
            (tutorial / name).write_text(text, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG)
    return tmp_path


def run(folder: Path, *command: str, **environment: str) -> str:
    """
    Run a type checker; return its output.
    """
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=os.environ | {"MYPYPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout + done.stderr


def test_mypy(folder: Path, cache: pytest.Cache) -> None:
    """
    mypy C{--strict} accepts the examples and the tutorial's typed file, and the
    other files apart from their missing annotations; and it finds mistakes.
    """
    tutorial = sorted(path.stem for path in (folder / "tutorial").iterdir())
    assert set(tutorial) > {Path(name).stem for name in TYPED}
    untyped = [name for name in tutorial if f"{name}.py" not in TYPED]
    settings = folder / "mypy.ini"
    # Twisted has few annotations. Our own modules have their own test.
    settings.write_text(
        "[mypy]\nstrict = true\nuntyped_calls_exclude = twisted\n"
        "follow_imports = silent\npython_version = 3.11\n"
    )
    lenient = folder / "lenient.ini"
    lenient.write_text(
        f"{settings.read_text()}[mypy-{','.join(untyped)}]\n"
        "allow_untyped_defs = true\nallow_untyped_calls = true\n"
        "check_untyped_defs = true\n"
    )
    # Most of the time is for our own modules and Twisted's, which are the same in
    # the next run.
    cacheFolder = f"--cache-dir={cache.mkdir('mypy')}"
    names = [f"{name}.py" for name in tutorial]
    output = run(
        folder / "tutorial", "mypy", f"--config-file={lenient}", cacheFolder, *names
    )
    assert output.startswith("Success: "), output
    output = run(
        folder, "mypy", f"--config-file={settings}", cacheFolder, *EXAMPLES, "wrong.py"
    )
    found = [line for line in output.splitlines() if ": error: " in line]
    assert {tuple(line.split(":")[:2]) for line in found} == {
        ("wrong.py", str(line)) for line in MARKED
    }, output


def test_pyright(folder: Path) -> None:
    """
    The same with pyright as it is installed.
    """
    settings = {
        "include": [*EXAMPLES, "tutorial", "wrong.py"],
        "extraPaths": [str(ROOT), str(folder / "tutorial")],
        "pythonVersion": "3.11",
        "reportUnusedExpression": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    output = run(
        folder,
        "pyright",
        "--outputjson",
        f"--pythonpath={sys.executable}",
        # The program that its own package brings, and no look for a newer one.
        PYRIGHT_PYTHON_GLOBAL_NODE="off",
        PYRIGHT_PYTHON_IGNORE_WARNINGS="1",
    )
    report = json.loads(output[output.index("{") :])
    assert report["summary"]["filesAnalyzed"] > len(EXAMPLES) + 4
    found = [
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1)
        for found in report["generalDiagnostics"]
    ]
    assert set(found) == {("wrong.py", line) for line in MARKED}, output
