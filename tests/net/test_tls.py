"""
The verification of servers: what accounts share of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.network.authority import Authority
from txwebqq.errors import InvalidConfiguration
from txwebqq.net.tls import MAX_HOSTS, TrustRoots, VerifyingPolicy, policyFor


def test_shared() -> None:
    """
    All accounts that trust the same authorities share the contexts of a host.
    """
    one = policyFor(None).creatorForNetloc(b"example.org", 443)
    assert policyFor(None).creatorForNetloc(b"example.org", 443) is one
    assert policyFor(None).creatorForNetloc(b"example.com", 443) is not one


def test_changedFile(tmp_path: Path) -> None:
    """
    A file with authorities has a policy of its own, and another one after it has
    changed; without the file, there is none.
    """
    authority = Authority(tmp_path, "one")
    file = str(authority.file)
    policy = policyFor(file)
    assert policy is not policyFor(None)
    assert policyFor(file) is policy
    other = Authority(tmp_path, "another").file
    other.replace(authority.file)
    changed = policyFor(file)
    assert changed is not policy
    authority.file.unlink()
    for _ in range(2):
        with pytest.raises(InvalidConfiguration, match="cannot read"):
            policyFor(file)


def test_manyHosts() -> None:
    """
    A policy does not keep contexts for any number of hosts.
    """
    policy = VerifyingPolicy(TrustRoots(None))
    for n in range(MAX_HOSTS * 2):
        policy.creatorForNetloc(b"h%d.example" % n, 443)
    assert len(policy._creators) == MAX_HOSTS
