"""
The modules that an application imports from.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import txwebqq

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/index.md").read_text(encoding="utf-8")
PUBLIC = re.findall(r"^\| `(txwebqq\.\w+)` \|", PAGE, re.MULTILINE)

_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def sources() -> Iterator[tuple[str, str]]:
    for name in ("echo.py", "embed.py", "demo_bots.py"):
        yield name, (ROOT / "examples" / name).read_text(encoding="utf-8")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for code in _PYTHON.findall(page.read_text(encoding="utf-8")):
            yield page.name, code


@pytest.mark.parametrize(("name", "code"), list(sources()))
def test_used(name: str, code: str) -> None:
    """
    Examples and documentation import from public modules only.
    """
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("txw"):
            assert node.module in PUBLIC


def test_listed() -> None:
    """
    The page and the package name the same modules, and these exist.
    """
    assert txwebqq.__doc__ is not None
    first = txwebqq.__doc__.partition("An application imports from")[2].split(";")[0]
    named = {f"txwebqq.{name}" for name in re.findall(r"C\{(\w+)\}", first)}
    assert named == set(PUBLIC)
    for module in PUBLIC:
        import_module(module)
