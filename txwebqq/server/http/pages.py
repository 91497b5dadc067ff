"""
Answers that are the same for everybody: pages around the sign-on, and lists
that are always empty.
"""

from __future__ import annotations

HTML = b"text/html; charset=utf-8"
SCRIPT = b"application/x-javascript; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"

_LOGIN_PROXY = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>WebQQ</title></head><body></body></html>
"""

PAGES: dict[bytes, tuple[bytes, bytes]] = {
    path: (kind, text.encode())
    for path, kind, text in (
        (b"/cgi-bin/ver", SCRIPT, "ptuiV(201304110930);"),
        (b"/loginproxy.html", HTML, _LOGIN_PROXY),
    )
}
"""By path: the type of the content, and the content."""
