"""
How Sphinx makes the documentation: pages in Markdown, a reference from the
docstrings, which are epytext.
"""

from __future__ import annotations

import builtins
import gc
import inspect
import pkgutil
import re
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import version as versionOf
from inspect import get_annotations
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.highlighting import PygmentsBridge
from sphinx.transforms.post_transforms import ReferencesResolver, SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.util.nodes import find_pending_xref_condition
from twisted.internet import defer, error, interfaces
from twisted.python import failure
from zope.interface.interface import InterfaceClass

import txwebqq

project = "txwebqq"
author = copyright = "The txwebqq authors"  # noqa: A001
version = release = versionOf("txwebqq")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinxcontrib.zopeext.autointerface",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"txwebqq {release}"

autodoc_default_options = {"members": True}
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_type_aliases = {name: name for name in ("Content", "Event", "Segment")}
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 70

_log = logging.getLogger(__name__)

# All nodes of a page live until it is done, and looking at them again and again costs
# a fifth of the time of all pages.
gc.set_threshold(20_000, 20, 20)


# ---- epytext to reStructuredText

_FIELDS = {"return": "returns", "raise": "raises"}
_FIELD = re.compile(r"@(\w+)((?: +[\w.*]+)?): *")
_OPEN = re.compile(r"\b([BCIL])\{")
_LINK = re.compile(r"(.*?)\s*<([^<>]+)>", re.DOTALL)
_SPECIAL = re.compile(r"[\\*`|]|_(?=\W|\Z)")
_MARK = {"B": "**", "I": "*"}


def _closing(text: str, start: int) -> int:
    """
    Where the brace closes that was opened before C{start}.
    """
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError(f"a brace is never closed: {text[start - 2 : start + 20]!r}")


def _inline(text: str, scopes: list[Any]) -> str:
    """
    A paragraph with C{}, L{}, I{} and B{} as roles.
    """
    done, at = "", 0
    while (found := _OPEN.search(text, at)) is not None:
        end = _closing(text, found.end())
        inner = text[found.end() : end]
        done += _plain(text[at : found.start()])
        match found[1]:
            case "C":
                done += f"``{' '.join(inner.split())}``"
            case "L":
                done += _link(" ".join(inner.split()), scopes)
            case kind:
                done += _MARK[kind] + _inline(inner, scopes) + _MARK[kind]
        # A role ends only where no word goes on.
        at = end + 1
        done += r"\ " if text[at : at + 1].isalnum() else ""
    return done + _plain(text[at:])


_SECTION = re.compile(r"protocol\.md\s+([0-9]+(?:\.[0-9]+)*)")
_HEADING = re.compile(r"^#+ ([0-9]+(?:\.[0-9]+)*)\.? (.*)$", re.MULTILINE)


def _plain(text: str) -> str:
    """
    A text without roles, in which a section of the protocol's page is a link.
    """
    done, at = "", 0
    for found in _SECTION.finditer(text):
        done += _SPECIAL.sub(r"\\\g<0>", text[at : found.start()])
        done += f":section:`{found[1]}`"
        at = found.end()
    return done + _SPECIAL.sub(r"\\\g<0>", text[at:])


@cache
def _anchors() -> dict[str, str]:
    """
    The anchors of the sections of the protocol's page, by number.
    """
    page = (Path(__file__).parent / "protocol.md").read_text(encoding="utf-8")
    anchors = {}
    for found in _HEADING.finditer(page):
        words = re.sub(r"[^\w\- ]", "", found[0].lstrip("# ").lower())
        anchors[found[1]] = words.replace(" ", "-")
    return anchors


class SectionRole(SphinxRole):
    """
    A link to a section of the protocol's page.
    """

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        anchor = _anchors().get(self.text)
        if anchor is None:
            _log.warning("protocol.md has no section %s", self.text)
        builder = self.env.app.builder
        uri = f"{builder.get_relative_uri(self.env.docname, 'protocol')}#{anchor}"
        text = f"protocol.md {self.text}"
        return [nodes.reference(self.rawtext, text, refuri=uri, internal=True)], []


def _link(inner: str, scopes: list[Any]) -> str:
    words = _LINK.fullmatch(inner)
    text, target = (words[1], words[2]) if words else (inner, inner)
    place = _find(target, scopes)
    if place is None:
        raise ValueError(f"L{{{inner}}} names nothing")
    if not place.startswith("txwebqq"):
        return f"``{text}``"
    return f":py:obj:`{text} <{place}>`"


def _find(target: str, scopes: list[Any]) -> str | None:
    """
    The full name of what a docstring calls C{target}.
    """
    first, *rest = target.split(".")
    for scope in scopes:
        if not _has(scope, first):
            continue
        place, found = _place(scope, first)
        for name in rest:
            if not _has(found, name):
                return None
            place, found = _place(found, name)
        return place
    return target if first in ("txwebqq", "twisted", "treq") else None


def _has(scope: Any, name: str) -> bool:
    if isinstance(scope, InterfaceClass):
        return name in scope
    if inspect.isclass(scope) and scope.__module__.startswith("txwebqq"):
        # What only instances have is assigned somewhere in the class.
        return hasattr(scope, name) or any(
            name in get_annotations(base) or f"self.{name}" in _source(base)
            for base in scope.mro()
        )
    return hasattr(scope, name)


@cache
def _source(scope: type) -> str:
    return inspect.getsource(scope) if scope.__module__.startswith("txwebqq") else ""


def _place(scope: Any, name: str) -> tuple[str, Any]:
    if isinstance(scope, InterfaceClass):
        found = scope.get(name)
    else:
        found = getattr(scope, name, None)
    if isinstance(found, ModuleType):
        return found.__name__, found
    if getattr(found, "__name__", None) == name and hasattr(found, "__module__"):
        return f"{found.__module__}.{getattr(found, '__qualname__', name)}", found
    if isinstance(scope, ModuleType):
        return f"{scope.__name__}.{name}", found
    return f"{scope.__module__}.{scope.__name__}.{name}", found


@cache
def _modules() -> tuple[ModuleType, ...]:
    found = pkgutil.walk_packages(txwebqq.__path__, "txwebqq.")
    return tuple(import_module(module.name) for module in found)


def _scopes(name: str) -> list[Any]:
    """
    Where the names in a docstring are looked up: in its class, its module,
    the builtins, all our modules, and what everybody knows of Twisted.
    """
    module, rest = txwebqq, name.split(".")[1:]
    while rest and f"{module.__name__}.{rest[0]}" in sys.modules:
        module = import_module(f"{module.__name__}.{rest.pop(0)}")
    holders: list[Any] = [module]
    for part in rest:
        holder = getattr(holders[0], part, None)
        if not isinstance(holder, (type, InterfaceClass)):
            break
        holders.insert(0, holder)
    known = [builtins, *_modules(), defer, error, interfaces, failure]
    return [*holders, *known]


def _toRest(lines: list[str], scopes: list[Any]) -> list[str]:
    """
    A docstring's lines; what follows C{::} stays as it is.
    """
    done: list[str] = []
    paragraph: list[str] = []
    literal: int | None = None

    def flush() -> None:
        if paragraph:
            done.extend(_inline("\n".join(paragraph), scopes).split("\n"))
            paragraph.clear()

    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            flush()
            done.append("")
        elif literal is not None and indent > literal:
            done.append(line)
        else:
            literal = None
            field = _FIELD.match(line)
            if field is not None:
                flush()
                done.extend([""] if done and not done[-1].startswith(":") else [])
                kind = _FIELDS.get(field[1], field[1])
                paragraph.append(f":{kind}{field[2]}: {line[field.end() :]}")
            else:
                paragraph.append(line)
            if line.rstrip().endswith("::"):
                flush()
                literal = indent
    flush()
    return done


def convertDocstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """
    Called by autodoc for each docstring.
    """
    try:
        lines[:] = _toRest(lines, _scopes(name))
    except ValueError as e:
        _log.warning("docstring of %s: %s", name, e)


_UNNAMED = re.compile(r"<InterfaceClass [\w.]*?(\w+)>|TypeAliasForwardRef\('(\w+)'\)")


def cleanSignature(
    app: Sphinx,
    what: str,
    name: str,
    obj: Any,
    options: Any,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """
    Called by autodoc for each signature: interfaces and aliases are no
    classes, so it shows their C{repr}.
    """

    def cleaned(text: str | None) -> str | None:
        return text and _UNNAMED.sub(lambda found: found[1] or found[2], text)

    return cleaned(signature), cleaned(returns)


class ForeignNames(SphinxPostTransform):
    """
    Make text of the types in signatures that are not ours.

    Without it Sphinx searches each of them in the names of all our objects, up to
    three times, which takes a third of the time of all pages.
    """

    # Before the one that looks up all references.
    default_priority = ReferencesResolver.default_priority - 1

    def run(self, **kwargs: Any) -> None:
        names = _lastNames(self.env)
        for node in list(self.document.findall(addnodes.pending_xref)):
            last = node["reftarget"].removesuffix("()").rpartition(".")[2]
            if node["refdomain"] == "py" and last not in names:
                condition = find_pending_xref_condition(node, "*")
                node.replace_self(condition.children if condition else node.children)


def _lastNames(environment: BuildEnvironment) -> set[str]:
    objects = environment.domains.python_domain.objects
    return {name.rpartition(".")[2] for name in objects}


# ---- what would otherwise be forgotten


def checkModules(app: Sphinx, environment: BuildEnvironment) -> None:
    """
    A module that no page describes is an error.
    """
    described = environment.domaindata["py"]["modules"]
    for module in _modules():
        if module.__name__ not in described:
            _log.warning("%s is on no page of docs/reference", module.__name__)


def checkCode(app: Sphinx, document: nodes.document, name: str) -> None:
    """
    Warn of code that is not in its language, also when no HTML is written.
    """
    if app.builder.format == "":
        highlighter = PygmentsBridge("html")
        for node in document.findall(nodes.literal_block):
            highlighter.highlight_block(
                node.rawsource,
                node.get("language", "default"),
                force=node.get("force", False),
                location=node,
            )


def setup(app: Sphinx) -> None:
    app.add_role("section", SectionRole())
    app.connect("autodoc-process-docstring", convertDocstring)
    app.connect("autodoc-process-signature", cleanSignature)
    app.connect("env-check-consistency", checkModules)
    app.connect("doctree-resolved", checkCode)
    app.add_post_transform(ForeignNames)
