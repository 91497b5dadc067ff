"""
Paths of file transfers.
"""

from __future__ import annotations

import pytest

from txwebqq.errors import MalformedReply
from txwebqq.wire.commands.filetransfers import pathFields


@pytest.mark.parametrize("path", ["", "/v2", "/v2/1/2", "/v3/1/2/3/4", "v2/1/2/3"])
def test_paths(path: str) -> None:
    """
    A path that is too short or has another prefix is malformed.
    """
    with pytest.raises(MalformedReply):
        pathFields(path)
