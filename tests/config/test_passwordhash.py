"""
Hashes of passwords.
"""

from __future__ import annotations

import pytest

from txwebqq.config.passwordhash import PasswordHash, dummyHash, hashPassword, parseHash
from txwebqq.errors import InvalidConfiguration

# RFC 7914, section 12: the second vector, of whose 64 bytes these are the first half.
VECTOR = "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI"


def test_vector() -> None:
    """
    A hash that another program has made is read and checked.
    """
    made = parseHash(VECTOR)
    assert (made.cost, made.block, made.parallel, made.salt) == (1024, 8, 16, b"NaCl")
    assert made.isOf("password")
    assert not made.isOf("passwore")
    assert str(made) == VECTOR


def test_made() -> None:
    """
    A hash that we make is that of its password only, has a salt of its own, and shows
    neither in its repr.
    """
    made = hashPassword("正确 horse")
    read = parseHash(str(made))
    assert read == made
    assert read.isOf("正确 horse")
    assert not read.isOf("正确 Horse")
    assert not read.isOf("")
    assert hashPassword("正确 horse") != made
    assert str(made).rpartition("$")[2] not in repr(made)
    assert repr(made.salt) not in repr(made)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not a hash"),
        ("oolong", "is not a hash"),
        ("$2b$12$abcdefghijklmnopqrstuv", "is not a hash"),
        (VECTOR.replace("p=16", "p=0"), "parameter 0"),
        (VECTOR.replace("ln=10", "ln=0"), "parameter 0"),
        (VECTOR.replace("ln=10", "ln=20"), "too long"),
        (VECTOR.replace("p=16", "p=999"), "too long"),
        (VECTOR.replace("ln=10,r=8", "ln=11,r=999").replace("p=16", "p=1"), "too long"),
        (VECTOR.replace("$TmFDbA$", "$TmE$"), "another length"),
        (VECTOR[:-4], "another length"),
        (VECTOR + "\n", "is not a hash"),
    ],
)
def test_refused(text: str, problem: str) -> None:
    """
    A text that is no hash, or one that takes too long, is refused without being told.
    """
    with pytest.raises(InvalidConfiguration, match=problem) as caught:
        parseHash(text)
    assert not text or text not in str(caught.value)


def test_dummy() -> None:
    """
    The hash in place of that of a user who does not exist takes as long as the slowest.
    """
    hashes = [PasswordHash(1 << n, 1, 1, b"", b"") for n in (3, 5, 4)]
    dummy = dummyHash(hashes)
    assert dummy is not None
    assert dummy.work == 32
    assert not dummy.isOf("")
    assert dummyHash([]) is None
