"""
The status page: its files, its policy, its numbers, and the object that it shows.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.irc.programs import NODE
from tests.operation.test_documented import series
from tests.operation.test_service import Endpoint, FixedSource
from txwebqq import __version__
from txwebqq.operation.statuspage import pageFiles

FILES = {path.decode(): (kind, text) for path, (kind, text) in pageFiles().items()}
HTML = FILES["/"][1].decode()
SCRIPTS = {
    path: text.decode() for path, (_, text) in FILES.items() if path.endswith(".js")
}
PAGE = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """
    Make an endpoint without a token.
    """
    endpoint = Endpoint()
    yield endpoint
    endpoint.service.stopService()


def status(endpoint: Endpoint, *headers: str) -> dict[str, Any]:
    """
    Fetch the object.
    """
    code, body = endpoint.ask("/status.json", *headers)
    assert code == 200
    assert "Content-Type: application/json" in endpoint.head
    found = json.loads(body)
    assert isinstance(found, dict)
    return found


def test_object(endpoint: Endpoint) -> None:
    """
    The object has the time, the readiness with its reasons, and the values of
    C{/metrics}.
    """
    endpoint.reactor.advance(1000.0)
    found = status(endpoint)
    assert found["version"] == __version__
    assert found["time"] == endpoint.reactor.seconds()
    assert (found["ready"], found["problems"]) == (True, [])
    metrics = found["metrics"]
    place = {"place": 'a "b"\n\\'}
    assert metrics["test_size"] == [{"labels": place, "value": 2.5}]
    assert metrics["test_seconds_sum"] == [{"labels": {}, "value": 7.65}]
    assert metrics["test_seconds_bucket"][-1]["labels"] == {"le": "+Inf"}
    assert metrics["process_open_fds"][0]["value"] > 0
    _, text = endpoint.ask("/metrics")
    names = {re.split("[ {]", line)[0] for line in text.splitlines() if line[0] != "#"}
    assert set(metrics) == names
    endpoint.source.reasons = ["the disk is full", "of two\nlines"]
    found = status(endpoint)
    assert found["ready"] is False
    assert found["problems"] == ["the disk is full", "of two lines"]


def test_finite(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A value that is no finite number is null, since JSON has none, and so is told the
    page.
    """
    samples = FixedSource.samples

    def infinite(source: FixedSource) -> Iterator[Any]:
        for metric, labels, value in samples(source):
            isSize = metric.name == "test_size"
            yield metric, labels, float("nan") if isSize else value

    monkeypatch.setattr(FixedSource, "samples", infinite)
    assert status(endpoint)["metrics"]["test_size"][0]["value"] is None


def test_files(endpoint: Endpoint) -> None:
    """
    All files are served with their types and a policy that allows only files of the
    endpoint itself.
    """
    for path, (kind, text) in FILES.items():
        assert endpoint.ask(path) == (200, text.decode())
        assert f"Content-Type: {kind}" in endpoint.head
        assert "X-Content-Type-Options: nosniff" in endpoint.head
        policy = re.search("Content-Security-Policy: (.*)", endpoint.head)
        assert policy is not None
        assert policy[1].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy[1]
        assert "frame-ancestors 'none'" in policy[1]
        assert endpoint.ask(path, method="HEAD") == (200, "")
        assert endpoint.ask(path, method="POST")[0] == 405


def test_ownPage(endpoint: Endpoint) -> None:
    """
    Browsers load the page by its address, its modules with its origin, and the object.
    """
    for site in ("none", "same-origin"):
        assert endpoint.ask("/", f"Sec-Fetch-Site: {site}")[0] == 200
    own = ("Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:9100")
    for path in ("/status.js", "/status.json"):
        assert endpoint.ask(path, *own, host="127.0.0.1:9100")[0] == 200


def test_token() -> None:
    """
    With a token, the files are served without it, so that the page can ask for it,
    and the object only with it.
    """
    endpoint = Endpoint("s3cret")
    for path in FILES:
        assert endpoint.ask(path, host="chat.example")[0] == 200
    assert endpoint.ask("/status.json")[0] == 401
    assert endpoint.ask("/status.json", "Authorization: Bearer wrong")[0] == 403
    assert status(endpoint, "Authorization: Bearer s3cret")["ready"] is True


def test_policy() -> None:
    """
    The files have nothing that the policy forbids: no script or style inside the
    page, no text that is read as HTML, and no address of another host.
    """
    for tag in re.findall("<script[^>]*>", HTML):
        assert " src=" in tag
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", HTML, re.I)
    linked = set(re.findall(r'(?:src|href)="([^"]+)"', HTML)) - {"captcha"}
    imported = set(re.findall(r'from "\./([^"]+)"', SCRIPTS["/status.js"]))
    assert {f"/{each}" for each in linked | imported} | {"/"} == set(FILES)
    for script in SCRIPTS.values():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write", script
        )
        assert not re.search(r"\beval\b|new Function|\.style\b|localStorage", script)
    namespace = "http://www.w3.org/2000/svg"
    for _, text in FILES.values():
        assert "//" not in re.sub("// .*", "", text.decode().replace(namespace, ""))


def test_elements() -> None:
    """
    The elements that the script writes to are there.
    """
    named = set(re.findall(r'byId\("(\w+)"\)', SCRIPTS["/status.js"]))
    assert named <= set(re.findall(r' id="([\w-]+)"', HTML))


def test_names() -> None:
    """
    The metrics that the page shows are those that daemons have.
    """
    named = {
        name
        for script in SCRIPTS.values()
        for name in re.findall(r"\b(?:txwebqq|process)_\w+", script)
    }
    histograms = {each.removesuffix("_sum") for each in series() if each[-4:] == "_sum"}
    assert named <= series() | histograms


def test_documented(endpoint: Endpoint) -> None:
    """
    The names of the object are documented.
    """
    section = PAGE.partition("### The object")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.M)
    assert rows == list(status(endpoint))


def test_series() -> None:
    """
    The numbers of the curves are right: rates, means, gaps, restarts of the daemon and
    the end of the time that is shown.
    """
    script = Path(__file__).with_name("series.mjs")
    done = subprocess.run(
        [NODE, script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
