"""
The package that an application imports values from.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import pytest

from txwebqq import model

MODULES = [
    import_module(f"txwebqq.model.{found.name}")
    for found in pkgutil.iter_modules(model.__path__)
]


def _defined(module: ModuleType) -> Iterator[str]:
    """
    The public names that a module assigns or defines itself.
    """
    for node in ast.parse(inspect.getsource(module)).body:
        names = [node.name] if isinstance(node, (ast.ClassDef, ast.FunctionDef)) else []
        if isinstance(node, ast.Assign):
            targets = [found for t in node.targets for found in ast.walk(t)]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        yield from (name for name in names if not name.startswith("_"))


@pytest.mark.parametrize("module", MODULES)
def test_complete(module: ModuleType) -> None:
    """
    Each public name of a module can be imported from the package.
    """
    for name in _defined(module):
        assert name in model.__all__
        assert getattr(model, name) is getattr(module, name)


def test_nothingElse() -> None:
    """
    The package exports nothing that its modules do not define.
    """
    defined = [name for module in MODULES for name in _defined(module)]
    assert sorted(defined) == sorted(model.__all__)
