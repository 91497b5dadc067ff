"""
The page in the reply to an upload of a photo or a file.
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
    A callback that is not a function name does not get into the page.
    """
    form = Form([("callback", callback)])
    assert UploadOfflinePic.decodeFields(form).callback.startswith("parent.EQQ")


def test_page() -> None:
    """
    No value in a reply ends the script around it.
    """
    stored = StoredFile("/x", "</script>'\"", 1)
    body = UploadOfflinePic.encodeReply(stored)
    assert body.count(b"</script>") == 1
    assert UploadOfflinePic.decodeReply(body) == stored
