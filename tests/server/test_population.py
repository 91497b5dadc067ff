"""
Population files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from txwebqq.errors import InvalidConfiguration
from txwebqq.server.population import load, parse
from txwebqq.server.records import DiscussionEntry
from txwebqq.wire.digests import passwordHash

ACCOUNT = '[[account]]\nnumber = 10001\npassword = "x"\n'
PAIR = "[[friendship]]\nbetween = [{}, {}]\n"
GROUP = '[[group]]\nnumber = 200001\nname = "cats"\nowner = 10001\n'


def test_account() -> None:
    """
    An account needs a number and a password, whose UTF-8 bytes are hashed.
    """
    (account,) = parse('[[account]]\nnumber = 10001\npassword = "密码"').accounts
    assert account.firstHash == passwordHash("密码")
    assert account.nick == "10001"
    assert "密码" not in repr(account)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("", {}),
        ('"both"', {10001: "both", 10002: "both"}),
        ('["a", "b"]', {10001: "a", 10002: "b"}),
        ('{ 10002 = "b" }', {10002: "b"}),
    ],
)
def test_directions(toml: str, expected: dict[int, str]) -> None:
    """
    A category or a markname is given once for both directions, for each
    direction, or by the number of one account.
    """
    text = "[[friendship]]\nbetween = [10001, 10002]\n"
    if toml:
        text += f"category = {toml}\nmarkname = {toml}\n"
    (friendship,) = parse(text).friendships
    assert friendship.categories == expected
    assert friendship.marknames == expected


def test_owner() -> None:
    """
    The owner is a member, also when members does not name it.
    """
    (group,) = parse(GROUP + "members = [10002]").groups
    assert group.members == (10001, 10002)
    (discussion,) = parse("[[discussion]]\nnumber = 300001\nowner = 10001").discussions
    assert discussion == DiscussionEntry(300001, "", 10001, (10001,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[account]", "not TOML: "),
        ("x = 1", "'x' is not known here"),
        ("[account]\nnumber = 1", r"account is written \[\[account\]\]"),
        ("account = [1]", "account 1 is not a table"),
        ("[[account]]", "account 1: number is missing"),
        (ACCOUNT + "[[account]]\nnumber = 10002", r"account 2 \(number 10002\): pass"),
        (
            "[[account]]\nnumber = 10000",
            "number is not a number from 10001 to 4294967295: 10000",
        ),
        (
            "[[account]]\nnumber = 4294967296",
            "is not a number from 10001 to 4294967295: 4294967296",
        ),
        (
            '[[account]]\nnumber = "10001"',
            "is not a number from 10001 to 4294967295: '10001'",
        ),
        (
            "[[account]]\nnumber = true",
            "is not a number from 10001 to 4294967295: True",
        ),
        ("[[account]]\nnumber = 10001\npassword = 7", "password is not a text"),
        ('[[account]]\nnumber = 10001\npassword = ""', "password is empty"),
        (ACCOUNT + "nikc = 'x'", "'nikc' is not known here"),
        (ACCOUNT + "face = 'x'", "face is not a number"),
        (ACCOUNT + "gender = 'x'", "gender is none of male, female, unknown"),
        (ACCOUNT + "birthday = 'x'", "birthday is not a date"),
        (ACCOUNT + "birthday = [1990, 13, 1]", "birthday is not a date"),
        (ACCOUNT + "birthday = [1990, 1]", "birthday is not a date"),
        (ACCOUNT + "allow = 3", "answer is missing, which allow = 3 needs"),
        (ACCOUNT + "categories = ['x']", "categories 1 is not a table"),
        (ACCOUNT + "categories = [{}]", "categories 1: name is missing"),
        (ACCOUNT + "categories = [{name = ''}]", "categories 1: name is empty"),
        (
            ACCOUNT + "categories = [{name = 'x', index = 0}]",
            "index is not a number from 1 to 65535: 0",
        ),
        (
            ACCOUNT + "categories = [{name = 'x', sort = -1}]",
            "sort is not a number from 0 to 65535: -1",
        ),
        (
            ACCOUNT + "categories = [{name = 'x', index = 2}, {name = 'y'}]",
            "categories has an index twice",
        ),
        (ACCOUNT + "categories = [{name = 'x', y = 1}]", "'y' is not known here"),
        (ACCOUNT * 2, "account 10001 is defined twice"),
        ("[[friendship]]", "friendship 1: between is missing"),
        ("[[friendship]]\nbetween = 10001", "between is not a list of numbers"),
        ("[[friendship]]\nbetween = [10001]", "between does not name two accounts"),
        ("[[friendship]]\nbetween = [10001, 10001]", "between names an account twice"),
        (
            PAIR.format(10001, 10002) + PAIR.format(10002, 10001),
            "friendship between 10001 and 10002 is defined twice",
        ),
        (
            "[[friendship]]\nbetween = [10001, 10002]\nmarkname = {10003 = 'x'}",
            "friendship 1: markname has '10003', which is not one of them",
        ),
        (
            "[[friendship]]\nbetween = [10001, 10002]\ncategory = ['x']",
            "category is neither a text, nor two texts, nor a table",
        ),
        (
            "[[friendship]]\nbetween = [10001, 10002]\nkept_by = 10003",
            "kept_by is neither of the two",
        ),
        (
            PAIR.format(10001, 10002) + "kept_by = 10001\nmarkname = {10002 = 'x'}",
            "markname has '10002', which is not one of them",
        ),
        (
            PAIR.format(10001, 10002) + "kept_by = 10001\nmarkname = ['x', 'y']",
            "markname is neither a text, nor a table of texts by number",
        ),
        (
            "[[friendship]]\nbetween = [10001, 10002]\ncategory = {10003 = 1}",
            "category has '10003', which is not one of them",
        ),
        (GROUP + "created = 1366004099", "created is not a time such as"),
        (GROUP + "created = 2013-04-15T05:34:59", "created is not a time such as"),
        ("[[group]]\nnumber = 200001\nowner = 10001", "name is missing"),
        (GROUP + "members = [10002, 10002]", "members names an account twice"),
        (GROUP + "admins = [10002]", "admins names an account that is not a member"),
        (
            GROUP + "cards = {10002 = 'x'}",
            "cards has '10002', which is not one of them",
        ),
        (
            GROUP + "cards = {10001 = 1}",
            "cards has a value for 10001 that is not a text",
        ),
        (GROUP + "option = 4", "option is none of 1, 2, 3"),
        (GROUP * 2, "group 200001 is defined twice"),
        ("[[discussion]]\nnumber = 300001", "owner is missing"),
        (
            "[[account]]\nnumber = 10001\npassword_md5 = 'abc'",
            "password_md5 is not 32 hexadecimal digits",
        ),
        (
            f"[[account]]\nnumber = 10001\npassword_md5 = '{32 * 'a'}'\npassword = 'x'",
            "password and password_md5 are both given",
        ),
    ],
)
def test_problems(text: str, problem: str) -> None:
    """
    An error names the entry of the file.
    """
    with pytest.raises(InvalidConfiguration, match=problem):
        parse(text)


def test_hashedPassword() -> None:
    """
    password_md5 stands for a password.
    """
    # The output of md5sum for "secret".
    digits = "5EBE2294ECD0E0F08EAB7690D2A6EE69"
    text = f"[[account]]\nnumber = 10001\npassword_md5 = '{digits}'"
    (account,) = parse(text).accounts
    assert account.firstHash == passwordHash("secret")


def test_files(tmp_path: Path) -> None:
    """
    An error begins with the name of the file.
    """
    path = tmp_path / "people.toml"
    with pytest.raises(InvalidConfiguration, match=r"people\.toml: No such file"):
        load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidConfiguration, match=r"people\.toml: not UTF-8"):
        load(path)
    path.write_text("x = 1")
    with pytest.raises(InvalidConfiguration, match=r"people\.toml: 'x'"):
        load(path)
    path.write_text(ACCOUNT)
    assert len(load(path).accounts) == 1
