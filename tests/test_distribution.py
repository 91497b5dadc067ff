"""
The order of the tests, and the units of them that one process runs.
"""

from __future__ import annotations

from tests.distribution import spread, units

QUICK = [f"tests/wire/test_form.py::test_parse[{n}]" for n in range(4000)]
SLOW = [f"tests/endtoend/test_end_to_end.py::test_demo{n}" for n in range(10)]
PACKAGED = [f"tests/project/test_packaging.py::test_wheel{n}" for n in range(2)]
BROWSED = [f"tests/page/test_menus.py::test_focus{n}" for n in range(2)]


def test_units() -> None:
    """
    Tests that share a browser or a wheel are in one unit, a slow test is one, and some
    quick tests in a row are.
    """
    found = units([*QUICK, *SLOW, *PACKAGED, *BROWSED])
    assert found[PACKAGED[0]] == found[PACKAGED[1]]
    assert found[BROWSED[0]] == found[BROWSED[1]]
    assert found[QUICK[0]] == found[QUICK[1]] != found[QUICK[2]]
    assert len(set(found.values())) == len(QUICK) / 2 + len(SLOW) + 2


def test_few() -> None:
    """
    Each of a few tests is a unit.
    """
    assert len(set(units(QUICK[:100]).values())) == 100


def test_spread() -> None:
    """
    All tests are run once: those of the page first, and no slow ones at the end.
    """
    mixed = [*QUICK[:2000], *SLOW, *PACKAGED, *BROWSED, *QUICK[2000:]]
    order = spread(mixed, key=str)
    assert sorted(order) == sorted(mixed)
    assert order[:3] == [*BROWSED, SLOW[0]]
    last = max(order.index(nodeid) for nodeid in (*SLOW, *PACKAGED))
    assert 2500 < last < 3000
    assert [nodeid for nodeid in order if nodeid in set(QUICK)] == QUICK
