"""
Every emoticon is found by each of its names.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.faces import (
    englishNameOf,
    faceAt,
    faceNamed,
    indexOf,
    nameOf,
    withFaces,
    withFacesNamed,
)
from txwebqq.model import Face, GroupPicture, Text

# Of protocol.md, appendix A and 4.4; the last ones are of the middle column.
EXAMPLES = [
    (0, 14, "微笑", "Smile"),
    (14, 0, "惊讶", "Surprise"),
    (15, 50, "难过", "Frown"),
    (16, 51, "酷", "Ruthless"),
    (17, 96, "冷汗", "Blush"),
    (89, 124, "OK", "OK"),
    (104, 134, "右太极", "Tai Chi R"),
    (65, 116, "示爱", "Lips"),
    (60, 63, "咖啡", "Coffee"),
]


@pytest.mark.parametrize(("index", "wire", "chinese", "english"), EXAMPLES)
def test_examples(index: int, wire: int, chinese: str, english: str) -> None:
    """
    The examples of protocol.md are in the table.
    """
    assert faceAt(index) == Face(wire)
    assert indexOf(wire) == index
    assert (nameOf(wire), englishNameOf(wire)) == (chinese, english)
    assert faceNamed(chinese) == faceNamed(english) == Face(wire)
    assert faceNamed(english.upper()) == Face(wire)


def test_permutation() -> None:
    """
    The 135 indexes and the 135 numbers of the wire name each other.
    """
    wires = [face.id for index in range(135) if (face := faceAt(index))]
    assert sorted(wires) == list(range(135))
    assert [indexOf(wire) for wire in wires] == list(range(135))


def test_names() -> None:
    """
    No two faces share a name; the first 105 pictures have one, the rest is
    numbered, and every name leads back.
    """
    names = [nameOf(wire) for wire in range(135)]
    assert len(set(names)) == 135
    nameless = [name for name in names if name.startswith("face")]
    assert len(nameless) == 30
    for wire in range(135):
        assert faceNamed(nameOf(wire)) == Face(wire)
        assert faceNamed(englishNameOf(wire)) == Face(wire)


def test_unknown() -> None:
    """
    A face that is not in the table has no picture, but a name that leads back
    to its number.
    """
    assert indexOf(500) is None
    assert faceAt(135) is None
    assert faceAt(-1) is None
    assert nameOf(500) == "face500"
    assert faceNamed("face500") == Face(500)
    assert faceNamed("不知道") is None
    assert faceNamed("face") is None
    assert nameOf(138) == "灯笼"


def test_written() -> None:
    """
    Faces are written with their names, and read back; other brackets are text.
    """
    content = (Text("a "), Face(14), Face(52), Text(" [x] [微 笑] []"), Face(999))
    text = withFacesNamed((*content[:4], GroupPicture("p.jpg"), content[4]))
    assert text == "a [微笑][face52] [x] [微 笑] [][face999]"
    assert withFaces(text) == content
    assert withFaces("") == ()
    assert withFaces("[[微笑]]") == (Text("["), Face(14), Text("]"))


@given(st.text(alphabet="[]微笑OKface12 x"))
def test_lossless(text: str) -> None:
    """
    Reading faces out of any text and writing them again says the same.
    """
    content = withFaces(text)
    assert withFaces(withFacesNamed(content)) == content
    assert all(segment != Text("") for segment in content)
