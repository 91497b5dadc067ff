"""
Names, docstrings, comments and log lines use the words of the glossary in
docs/design-notes.md.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("txwebqq", "twisted", "tests", "benchmarks", "examples")
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for name in FOLDERS
    for path in (ROOT / name).rglob("*.py")
    if path != Path(__file__).resolve()
)

OPENING = re.compile(r"\W*(what|who|whom|whose|whoever|how|where)\b", re.I)
"""The first word of a docstring that does not say what the thing is or does."""

VAGUE = re.compile(
    r"\b(somebody|someone|something|whoever|whomever|whatever|likewise|lest|anew"
    r"|so many|for ever|nobody's)\b",
    re.I,
)
"""Words in the place of an account, an object or a number."""

REPLACED = {
    "circle": "group",
    "drawer": "category",
    "handout": "offline file",
    "lane": "sender",
    "letter": "queued event",
    "petition": "friend request",
    "piece": "message or part",
    "portrait": "identicon",
    "resident": "account",
    "seat": "membership",
    "shelf": "custom faces",
    "spool": "outbox",
    "talk": "message or discussion",
    "tidings": "queued event",
    "visit": "session",
    "visitor": "client",
}
"""Words of older versions, each with the word to use."""

OLD = re.compile(rf"\b({'|'.join(REPLACED)})s?\b", re.I)
OLD_PART = re.compile(rf"({'|'.join(REPLACED)})s?")

ANYWHERE = re.compile("|".join(REPLACED), re.I)
"""A part of a module that may be an old word: most have none, and need no search."""

ALLOWED = {
    # Letters of an alphabet.
    ("txwebqq/irc/gateway/directory.py", "letter"),
    ("txwebqq/irc/gateway/user.py", "letter"),
    ("txwebqq/irc/protocol/casemapping.py", "letter"),
    ("txwebqq/irc/protocol/line.py", "letter"),
    ("txwebqq/irc/protocol/nicknames.py", "letter"),
    ("txwebqq/server/http/signup.py", "letter"),
    ("txwebqq/wire/digests.py", "letter"),
    # Attributes of PartlySent, which is public.
    ("tests/requests/test_messages.py", "piece"),
    ("txwebqq/errors.py", "piece"),
    # A name in stored events.
    ("txwebqq/server/events/kinds.py", "handout"),
}
"""Words in their ordinary meaning: the module, and the word."""


def complaints(module: str, text: str) -> Iterator[str]:
    """
    Generate a line for each word that a module should not use.
    """
    for line, word in _words(text, module.startswith("txwebqq/")):
        if (module, word) not in ALLOWED:
            yield f"{module}:{line}: {word!r}"


def _words(text: str, isPackage: bool) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    for line, docstring in _docstrings(tree):
        opening = OPENING.match(docstring)
        if opening:
            yield line, f"begins with {opening[1]}"
        if not isPackage:
            for found in (*VAGUE.finditer(docstring), *OLD.finditer(docstring)):
                yield line, _singular(found[1])
    for line, sentence in _sentences(tree) if isPackage else ():
        for found in (*VAGUE.finditer(sentence), *OLD.finditer(sentence)):
            yield line, _singular(found[1])
    if not (ANYWHERE.search(text) or VAGUE.search(text)):
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            for found in (*VAGUE.finditer(token.string), *OLD.finditer(token.string)):
                yield token.start[0], _singular(found[1])
        elif token.type == tokenize.NAME:
            for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", token.string):
                if OLD_PART.fullmatch(part.lower()):
                    yield token.start[0], _singular(part)


def _singular(word: str) -> str:
    word = word.lower()
    return word if word in REPLACED else word.removesuffix("s")


def _docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """
    Generate the docstrings of a module, also those of constants.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                yield node.lineno, text.strip()


SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|FROM|WHERE|SET)\b")


def _sentences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """
    Generate the texts of log lines, of errors and for users. SQL is left out,
    since tables keep their names.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() as text) if " " in text and not SQL.search(
                text
            ):
                yield node.lineno, text


@pytest.mark.parametrize("module", MODULES)
def test_words(module: str) -> None:
    """
    A module uses the words of the glossary.
    """
    text = (ROOT / module).read_text(encoding="utf-8")
    assert list(complaints(module, text)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"""What a client sends."""', ["begins with What"]),
        ("# Somebody has gone.", ["somebody"]),
        ("mailLetters = 1", ["letter"]),
        ('log.warn("The lane rests.", lane=1)', ["lane", "lane"]),
        ('sql = "SELECT lane FROM piece"', []),
        ('"""A client of the gateway."""', []),
    ],
)
def test_found(text: str, words: list[str]) -> None:
    """
    Old words are found in docstrings, comments, names and log lines, and not in
    SQL.
    """
    found = [
        each.partition(": ")[2].strip("'") for each in complaints("txwebqq/x.py", text)
    ]
    assert found == words
