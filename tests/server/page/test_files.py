"""
The files of the chat page.
"""

from __future__ import annotations

import gzip
import re
from urllib.parse import urljoin

import pytest

from tests.server.harness import Response, ServerHarness
from txwebqq import faces
from txwebqq.server.page.files import PageFiles

FILES = PageFiles()

FIRST_PAINT = 150 * 1024
"""The most that a browser may have to load, in bytes."""


def fetch(path: str, method: str = "GET", **headers: str) -> Response:
    harness = ServerHarness(page=FILES)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    data = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{head}\r\n"
    return harness.send(data.encode()).response


def header(response: Response, name: str) -> str:
    found = {key.lower(): value for key, value in response.headers}
    return found[name]


def test_index() -> None:
    """
    C{/} is the page: HTML, with a policy that lets it run its own scripts only.
    """
    response = fetch("/")
    assert response.status == 200
    assert header(response, "content-type") == "text/html; charset=utf-8"
    policy = header(response, "content-security-policy").split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in header(response, "content-security-policy")
    assert header(response, "x-content-type-options") == "nosniff"
    assert header(response, "referrer-policy") == "no-referrer"
    assert b"page/main.js" in response.body


def test_signUp() -> None:
    """
    The page names the sign-up page only where that is open.
    """
    place = b'<meta name="sign-up" content="signup">'
    assert place not in fetch("/").body
    harness = ServerHarness(page=PageFiles(isSignUpOpen=True))
    assert place in harness.get("/").response.body


def test_limits() -> None:
    """
    The page has the limits of the server, also those that were changed since.
    """
    page = PageFiles(limits={"picture": 1, "file": 2})
    harness = ServerHarness(page=page)
    before = b"""<meta name="limits" content='{"picture": 1, "file": 2}'>"""
    assert before in harness.get("/").response.body
    page.setLimits({"file": 3})
    after = b"""<meta name="limits" content='{"file": 3}'>"""
    assert after in harness.get("/").response.body
    assert b'name="limits"' not in fetch("/").body


def test_preloaded() -> None:
    """
    The page names all modules, so that a browser fetches them at once, and does not
    have to read one to know of the next.
    """
    body = fetch("/").body
    modules = {path.lstrip(b"/") for path in FILES.paths if path.endswith(b".js")}
    links = re.findall(rb'<link rel="modulepreload" href="([^"]+)">', body)
    assert {*links, b"page/main.js"} == modules
    assert len(links) == len(modules) - 1


def test_noInlineScript() -> None:
    """
    The page has no script or style within it, which the policy would not run.
    """
    body = fetch("/").body.decode()
    assert re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", body) is None


@pytest.mark.parametrize("path", sorted(FILES.paths))
def test_file(path: bytes) -> None:
    """
    Each file has the type by which a browser uses it, and names only files that are
    there.
    """
    response = fetch(path.decode())
    assert response.status == 200
    ending = path.rpartition(b".")[2].decode()
    assert header(response, "content-type") == {
        "/": "text/html; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "svg": "image/svg+xml",
    }.get(ending, "text/html; charset=utf-8")
    for name in re.findall(rb'from "([^"]+)"|"(page/[^"]+)"', response.body):
        named = urljoin(path, name[0] or name[1])
        assert named in FILES.paths
    assert b"http://" not in response.body.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in response.body


def test_compressed() -> None:
    """
    Browsers that take gzip are sent less, and the same.
    """
    plain = fetch("/page/account/client.js")
    small = fetch("/page/account/client.js", Accept_Encoding="br, gzip;q=0.8")
    assert header(small, "content-encoding") == "gzip"
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 2
    refused = fetch("/page/account/client.js", Accept_Encoding="gzip;q=0")
    assert refused.body == plain.body


def test_size() -> None:
    """
    All files together are small.
    """
    paths = [path.decode() for path in FILES.paths]
    sizes = [len(fetch(path, Accept_Encoding="gzip").body) for path in paths]
    assert sum(sizes) < FIRST_PAINT


def test_cached() -> None:
    """
    A file that the browser has already is not sent again.
    """
    tag = header(fetch("/page/wire.js"), "etag")
    again = fetch("/page/wire.js", If_None_Match=tag)
    assert again.status == 304
    assert again.body == b""
    assert fetch("/page/wire.js", If_None_Match='"other"').status == 200


@pytest.mark.parametrize(
    "path", ["/page/", "/page/nothing.js", "/page/../files.py", "/page/%2e%2e/files.py"]
)
def test_unknown(path: str) -> None:
    """
    Nothing but the files of the page is served.
    """
    response = fetch(path)
    assert b"no such path" in response.body


def test_off() -> None:
    """
    A server without the page refuses its paths.
    """
    assert ServerHarness().get("/").response.status == 404


def test_download() -> None:
    """
    The path of an offline file, which is a name, is not taken for the page.
    """
    response = fetch("/?ver=2173&rkey=00ff")
    assert b"main.js" not in response.body


def test_faces() -> None:
    """
    The page has the emoticons of L{txwebqq.faces}, in their order.
    """
    body = fetch("/page/faces.js").body.decode()
    rows = re.findall(r'^  \[(\d+), "(.*)", "(.*)"\],$', body, re.MULTILINE)
    assert len(rows) == 135
    for index, (number, chinese, english) in enumerate(rows):
        face = faces.faceAt(index)
        assert face is not None
        assert face.id == int(number)
        assert not chinese or faces.faceNamed(chinese) == face
        assert not english or faces.faceNamed(english) == face
