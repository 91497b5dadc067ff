"""
Digests, compared with values computed by others.
"""

from __future__ import annotations

import pytest

from txwebqq.wire.digests import (
    FRIEND_HASHES,
    passwordDigest,
    passwordHash,
    saltFor,
)

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

# protocol.md 3.4.
ME = "b3f1d2c47a5e69880f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778"
SEED = "72541a7b79772b8f09f72261b30e82b27e7712f44fa76884231d47b4d2894dc3"
COUNTED = "0123456789abcdef" * 4
OTHER = "636683b80e7b0b46e26cc6b07c33432a4ab692e52f96e105d4d06fabd0735986"
SHORT = "2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060"
CAPTURED = "598b31cd002c96d5e34a74f23b2e4b097462e718f80d6c82cefff275457e1d5e"

FRIEND_VECTORS = [
    ("N", 300100200, ME, "C99D99C9"),
    ("P", 300100200, ME, "585400A051650F23"),
    ("Q", 300100200, ME, "7E477D73"),
    ("N", 10897944, SEED, "A3FBACAB"),
    ("P", 10897944, SEED, "094559E50F050C53"),
    ("Q", 10897944, SEED, "DA5E3635"),
    ("N", 10000, COUNTED, "CECDCCCB"),
    ("P", 10000, COUNTED, "004500430068005B"),
    ("Q", 10000, COUNTED, "DB0F6AFF"),
    ("N", 2769546520, OTHER, "AFABA5F8"),
    ("P", 2769546520, OTHER, "52E00C5006A20C53"),
    ("Q", 2769546520, OTHER, "822BA632"),
    ("N", 3900000001, SHORT, "FDF5ADAE"),
    ("P", 3900000001, SHORT, "05AD543659085D4A"),
    ("Q", 3900000001, SHORT, "C2EBBAD6"),
    ("N", 990099999, ME, "95FEF7C9"),
    (
        "O",
        300100200,
        ME,
        (
            "5103560054025104075205550709080A00560255025503530652055206090608"
            "080509065205520553035602550256000101010002030004040405060407070B"
            "40514243475D4254135542435F42"
        ),
    ),
    (
        "O",
        10897944,
        SEED,
        (
            "06020D0D0658035606090F0E055B0C5201095E0E050B02055303085C0F0B5606"
            "06550F0E060B52000556590E01010C000303095D030E560055020000035D5707"
            "41514B4A4056465011554A4B584B"
        ),
    ),
    (
        "O",
        10000,
        COUNTED,
        (
            "0101020304040607080950525354555700010203050506070808515253545456"
            "0001020204050607090951525355555600010303040506060809515252545556"
            "40504343475F4354105542435F42"
        ),
    ),
    (
        "O",
        3900000001,
        SHORT,
        # The page has 54 for the e of "error", where e is 65 and the digit 30.
        (
            "015A00540803070555075009095602515603535405095306550008015255550D"
            "545202070151010557095408050006004050404A475F4254105542435C4B"
        ),
    ),
    (
        "O",
        34836589,
        CAPTURED,
        (
            "060D005105045B5D03040A500F035C0C56070C5201015E0B00560A560257080004000E"
            "0153020901550C08570056000B50515E5550070F0C07010F5607510D5C43554B40415A4A"
            "5D13514A415947"
        ),
    ),
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
    A server stores the MD5 of the password in UTF-8.
    """
    assert passwordHash(password).hex().upper() == digest


@pytest.mark.parametrize(("number", "salt"), SALTS)
def test_salt(number: int, salt: str) -> None:
    """
    A salt is the number in eight bytes, big-endian.
    """
    assert saltFor(number).hex() == salt


@pytest.mark.parametrize(("name", "number", "ptwebqq", "expected"), FRIEND_VECTORS)
def test_friendHash(name: str, number: int, ptwebqq: str, expected: str) -> None:
    """
    A hash is that of protocol.md, or of a real client.
    """
    assert FRIEND_HASHES[name](number, ptwebqq) == expected


def test_friendHashOrder() -> None:
    """
    The hashes are in the order that worked for clients of the time.
    """
    assert list(FRIEND_HASHES) == ["N", "O", "P", "Q"]


@pytest.mark.parametrize("name", FRIEND_HASHES)
@pytest.mark.parametrize("ptwebqq", ["", "a", "ab", "abc", "ab" * 300])
def test_friendHashLengths(name: str, ptwebqq: str) -> None:
    """
    A C{ptwebqq} of any length has a hash.
    """
    digits = FRIEND_HASHES[name](10001, ptwebqq)
    assert digits == digits.upper()
    bytes.fromhex(digits)
