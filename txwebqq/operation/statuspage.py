"""
The files of the status page, and the object that the page shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from txwebqq import __version__

PAGE_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        b" connect-src 'self'; form-action 'none'; base-uri 'none';"
        b" frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
"""The headers that hold the page, and all others of the endpoint, to itself."""

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

_FILES = {
    b"/": "index.html",
    b"/icon.svg": "icon.svg",
    b"/series.js": "series.js",
    b"/status.css": "status.css",
    b"/status.js": "status.js",
}


def pageFiles() -> dict[bytes, tuple[str, bytes]]:
    """
    Read the files of the page: their types and contents by their paths. They hold
    nothing of the daemon.
    """
    folder = files("txwebqq.operation") / "page"
    return {
        path: (_TYPES[name.rpartition(".")[2]], (folder / name).read_bytes())
        for path, name in _FILES.items()
    }


def statusText(
    daemon: str,
    time: float,
    problems: Sequence[str],
    metrics: Mapping[str, Sequence[Mapping[str, Any]]],
) -> bytes:
    """
    Write C{/status.json}.

    @param time: the present time in seconds since 1970.
    @param metrics: for each time series its labels and its values.
    """
    status = {
        "daemon": daemon,
        "version": __version__,
        "time": time,
        "ready": not problems,
        "problems": problems,
        "metrics": metrics,
    }
    return json.dumps(status, allow_nan=False).encode("ascii")
