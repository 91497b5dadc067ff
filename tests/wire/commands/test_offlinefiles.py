"""
The page that a photo or a file is answered with.
"""

from __future__ import annotations

import pytest

from txwebqq.wire.commands.offlinefiles import StoredFile, UploadOfflinePic
from txwebqq.wire.form import Form


@pytest.mark.parametrize(
    "callback", ["alert(1)", "a b", "", "x'y", "</script>", "a" * 121, "é"]
)
def test_callbacks(callback: str) -> None:
    """
    No client decides what a page runs.
    """
    form = Form([("callback", callback)])
    assert UploadOfflinePic.decodeFields(form).callback.startswith("parent.EQQ")


def test_page() -> None:
    """
    Nothing in an answer ends the script that it is in.
    """
    stored = StoredFile("/x", "</script>'\"", 1)
    body = UploadOfflinePic.encodeReply(stored)
    assert body.count(b"</script>") == 1
    assert UploadOfflinePic.decodeReply(body) == stored
