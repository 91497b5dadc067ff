"""
The page in the reply to an upload of a custom face.
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
    A callback that is not a function name does not get into the page.
    """
    form = Form([("f", callback)])
    assert CfaceUpload.decodeFields(form).callback == CALLBACK_GROUP


def test_page() -> None:
    """
    No value in a reply ends the script around it.
    """
    body = CfaceUpload.encodeReply(CustomFaceUploadResult(2, "</script>'\\"))
    assert body.count(b"</script>") == 1
    assert body.count(b"'") == 8
