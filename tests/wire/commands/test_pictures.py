"""
The page that a custom face is answered with.
"""

from __future__ import annotations

import pytest

from txwebqq.wire.commands.pictures import (
    CALLBACK_GROUP,
    CfaceUpload,
    CustomFaceUploadResult,
)
from txwebqq.wire.form import Form


@pytest.mark.parametrize(
    "callback", ["alert(1)", "a b", "", "x'y", "</script>", "a" * 121, "é"]
)
def test_callbacks(callback: str) -> None:
    """
    No client decides what a page runs.
    """
    form = Form([("f", callback)])
    assert CfaceUpload.decodeFields(form).callback == CALLBACK_GROUP


def test_page() -> None:
    """
    Nothing in an answer ends the script that it is in.
    """
    body = CfaceUpload.encodeReply(CustomFaceUploadResult(2, "</script>'\\"))
    assert body.count(b"</script>") == 1
    assert body.count(b"'") == 8
