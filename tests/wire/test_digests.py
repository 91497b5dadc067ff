"""
The digests, against vectors of others.
"""

from __future__ import annotations

import pytest

from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

# protocol.md 3.3, and what clients sent (compatibility.md 3).
VECTORS = [
    ("1234567890", 2798579710, "!B55", "5AE2E1380BFBF5135AD578DFA1FD3EE9"),
    ("webqq-2013", 300100200, "!K7Q", "0CE222F5AA3D8D56A83AB1BADB577652"),
    ("webqq-2013", 300100200, "hxWd", "4478EAD60FDFF7B0CA9230C94AA70977"),
    ("webqq-2013", 300100200, "HXWD", "4478EAD60FDFF7B0CA9230C94AA70977"),
    ("secret", 10000, "abcd", "5411DD024A706DDBC8548B64D9D466B5"),
    ("123456", 2769546520, "!7K2", "6CD1F0523D024CD973EB437FBCD67E19"),
    ("密码pass", 300100200, "!K7Q", "78C9538310B2E548B2A6E58784E00FD2"),
    ("secret123", 10897944, "!B55", "6E57592B1036EC23FC66A9C1E7BCD569"),
    ("secret123", 10897944, "ABCD", "CD1AC46BBE45D487644C7A836B16C343"),
]

HASHES = [
    ("1234567890", "E807F1FCF82D132F9BB018CA6738A19F"),
    ("webqq-2013", "F8757A256C457B4264485D318FF2BE29"),
    ("secret", "5EBE2294ECD0E0F08EAB7690D2A6EE69"),
    ("123456", "E10ADC3949BA59ABBE56E057F20F883E"),
    ("密码pass", "AC2994C5683E9D8256B419044C13AB74"),
]

SALTS = [
    (2798579710, "00000000a6ceeffe"),
    (300100200, "0000000011e32a68"),
    (10000, "0000000000002710"),
    (2769546520, "00000000a513ed18"),
    (10897944, "0000000000a64a18"),
]


@pytest.mark.parametrize(("password", "number", "code", "p"), VECTORS)
def test_digest(password: str, number: int, code: str, p: str) -> None:
    """
    A password, a salt and a verify code give the C{p} of a login.
    """
    assert passwordDigest(passwordHash(password), saltFor(number), code) == p


@pytest.mark.parametrize(("password", "digest"), HASHES)
def test_hash(password: str, digest: str) -> None:
    """
    What a server stores is the MD5 of the password in UTF-8.
    """
    assert passwordHash(password).hex().upper() == digest


@pytest.mark.parametrize(("number", "salt"), SALTS)
def test_salt(number: int, salt: str) -> None:
    """
    A salt is the number in eight bytes, big-endian.
    """
    assert saltFor(number).hex() == salt
