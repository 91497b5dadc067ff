"""
The code in the documentation works as it is shown.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from treq.testing import StubTreq

import txwebqq.commands.onebottap
import txwebqq.commands.tap
import txwebqq.server.tap
from txwebqq.model import Status
from txwebqq.server import population
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.testing import MemoryPerson, MemoryWebQQ
from txwebqq.wire.command import Host

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/*.md")])
TUTORIAL = ROOT / "docs/tutorial.md"
README = ROOT / "README.md"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(
    r"^[^`\n]*`([\w.]+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


def blocks(language: str) -> Iterator[Any]:
    for page in PAGES:
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            if found[1] == language:
                line = page.read_text(encoding="utf-8").count("\n", 0, found.start())
                yield pytest.param(found[2], id=f"{page.name}:{line + 1}")


def namedFiles(page: Path) -> list[tuple[str, str]]:
    """
    Return the files that a page tells its readers to write: name and text.
    """
    return _FILE.findall(page.read_text(encoding="utf-8"))


Unpack = Callable[[Path], Path]


@pytest.fixture
def unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unpack]:
    """
    Write the files of a page to a folder from which they can be imported.
    """
    names = []

    def write(page: Path) -> Path:
        for name, text in namedFiles(page):
            (tmp_path / name).write_text(text, encoding="utf-8")
            names.append(name.partition(".")[0])
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    yield write
    for name in names:
        sys.modules.pop(name, None)


# ---- all pages


@pytest.mark.parametrize("code", list(blocks("python")))
def test_python(code: str) -> None:
    """
    Python in the documentation is Python, and what it imports is there.
    """
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if (
                module.partition(".")[0] == "txwebqq"
            ):
                imported = importlib.import_module(module)
                for alias in names:
                    assert hasattr(imported, alias.name), f"{module}.{alias.name}"


def test_installedFromCheckout() -> None:
    """
    Neither page nor error tells to install us from a registry, where the name is
    not ours.
    """
    for path in (*PAGES, *ROOT.glob("txwebqq/**/*.py")):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"\btxwebqq\[|\binstall ['\"]?txwebqq", text)
        assert found is None, f"{path}: {found}"


def heredocs() -> Iterator[Any]:
    for found in re.finditer(r"<<'END'\n(.*?)^END$", README.read_text(), re.S | re.M):
        yield pytest.param(found[1], id=README.name)


@pytest.mark.parametrize("text", [*blocks("toml"), *heredocs()])
def test_populations(text: str) -> None:
    """
    A server takes the populations that are shown.
    """
    # Those of daemons have the passwords elsewhere.
    if "[[account]]" in text and "password-file" not in text:
        web = MemoryWebQQ()
        web.state.merge(population.parse(text))


def commands() -> Iterator[Any]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for found in re.finditer(
            r"twistd\b[^`\n]*? (webqq(?:-server|-onebot)?)(?![\w.-])(.*)", text
        ):
            names = re.findall(r"--([\w-]+)", found[2])
            yield pytest.param(found[1], names, id=f"{page.name} {found[0].strip()}")


@pytest.mark.parametrize(("command", "names"), list(commands()))
def test_options(command: str, names: list[str]) -> None:
    """
    The options of the commands that are shown exist.
    """
    options = {
        "webqq": txwebqq.commands.tap.Options,
        "webqq-server": txwebqq.server.tap.Options,
        "webqq-onebot": txwebqq.commands.onebottap.Options,
    }[command]()
    assert set(names) <= {long.rstrip("=") for long in options.longOpt}


def test_allOptions() -> None:
    """
    All options of both commands are in a table.
    """
    for page, options in (
        ("server.md", txwebqq.server.tap.Options()),
        ("tutorial.md", txwebqq.commands.tap.Options()),
    ):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        shown = set(re.findall(r"^\| `--([\w-]+)", text, re.MULTILINE))
        known = {long.rstrip("=") for long in options.longOpt}
        assert shown == known - {"help", "version"}


def test_hosts() -> None:
    """
    The hosts file for old clients has all names of Tencent's hosts: a client sends
    its ticket to those that are left out.
    """
    text = (ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
    lines = re.findall(r"^192\.0\.2\.10 +(.*)$", text, re.MULTILINE)
    shown = [name for line in lines for name in line.split()]
    faces = {f"face{n}.qun.qq.com" for n in range(1, 11)}
    pages = {"web.qq.com", "web1.qq.com", "web2.qq.com", "web3.qq.com"}
    assert len(shown) == len(set(shown))
    assert {host.value for host in Host} | faces | pages <= set(shown)


def numbers(page: str) -> set[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return set(re.findall(r"^#+ (\d+(?:\.\d+)*)\b", text, re.MULTILINE))


@pytest.mark.parametrize("page", ["protocol.md", "compatibility.md"])
def test_sections(page: str) -> None:
    """
    The sections exist that docstrings send their reader to.
    """
    sections = numbers(page)
    for module in sorted(ROOT.glob("txwebqq/**/*.py")):
        text = " ".join(module.read_text(encoding="utf-8").split())
        cited = re.findall(rf"{re.escape(page)},? ([\d.]+\d|\d)( and [\d.]+\d)?", text)
        for number in (n.removeprefix(" and ") for pair in cited for n in pair if n):
            assert number in sections, f"{module.name}: {page} {number}"


# ---- what is built step by step


@pytest.mark.parametrize("page", [README, TUTORIAL], ids=["README", "tutorial"])
def test_echo(page: Path, unpack: Unpack) -> None:
    """
    The bot of ten lines says everything back to the Alice of the page.
    """
    unpack(page)
    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(importlib.import_module("echo").EchoFactory())
    alice.tell(bot, "hello")
    assert alice.heard == ["hello"]


def test_readmeTest(unpack: Unpack) -> None:
    """
    The README's test passes for its bot.
    """
    unpack(README)
    [test] = [b for b in _BLOCK.findall(README.read_text()) if "MemoryWebQQ" in b[1]]
    names: dict[str, Any] = {}
    exec(test[1], names)  # noqa: S102
    assert names["alice"].heard == ["hello"]


def test_tutorialTest(unpack: Unpack) -> None:
    """
    The tutorial's test passes for its bot, and fails for one that is silent.
    """
    unpack(TUTORIAL)
    test = importlib.import_module("test_echo")
    test.test_echo()
    echo = importlib.import_module("echo")
    echo.Echo.messageReceived = lambda self, message: None
    with pytest.raises(AssertionError):
        test.test_echo()


@pytest.mark.parametrize("page", [README, TUTORIAL], ids=["README", "tutorial"])
def test_alice(page: Path, unpack: Unpack, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Alice says hello to the bot, and prints what it answers.
    """
    unpack(page)
    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(importlib.import_module("echo").EchoFactory())
    alice.run(importlib.import_module("alice").AliceFactory())
    assert capsys.readouterr().out == "Bot says: hello\n"


def test_clerk(unpack: Unpack) -> None:
    """
    The clerk works for its owner, up to what one message holds.
    """
    unpack(TUTORIAL)
    web = MemoryWebQQ()
    owner, other, bot = web.friends("Owner", "Other", "Bot")
    bot.run(importlib.import_module("clerk").ClerkFactory())
    owner.tell(bot, "a")
    owner.tell(bot, "hello")
    other.tell(bot, "a")
    assert owner.heard == ["a" * 4000, "That would be too long."]
    assert other.heard == ["I work for another account."]


def test_reader(unpack: Unpack) -> None:
    """
    The reader signs on with the text that a person has written into the file,
    and asks again when that was wrong.
    """
    folder = unpack(TUTORIAL)
    reader: Any = importlib.import_module("reader")
    web = MemoryWebQQ(captcha=CaptchaMode.ALWAYS)
    reader.reactor = web.clock
    bot = web.person("Bot")
    with pytest.raises(AssertionError):
        bot.run(reader.ReaderFactory())
    assert (folder / "captcha.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    (folder / "captcha.txt").write_text("wrong\n")
    web.settle(2)
    assert not (folder / "captcha.txt").exists()
    (folder / "captcha.txt").write_text("abcd\n")
    web.settle(2)
    assert web.result(bot.service.whenSignedOn()) is not None


# ---- examples


@pytest.fixture
def embed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """
    The example that embeds a service.
    """
    monkeypatch.setenv("TXWEBQQ_PASSWORD", "battery staple")
    spec = spec_from_file_location("embed", ROOT / "examples/embed.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_embed(embed: Any) -> None:
    """
    The page shows what friends said, escaped and newest first, and how we are.
    """
    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    factory = embed.RememberFactory()
    browser: Any = StubTreq(embed.Page(factory))

    def look() -> str:
        response = web.result(browser.get("http://page.test/"))
        browser.flush()
        return cast(str, web.result(response.text()))

    assert "signing on" in look()
    bot.run(factory)
    alice.tell(bot, "茶 & <cake>")
    alice.tell(bot, "more")
    page = look()
    assert "online" in page
    assert "<li>Alice: more<li>Alice: 茶 &amp; &lt;cake&gt;" in page
    elsewhere = MemoryPerson(web, bot.number, bot.nick)
    elsewhere.run()
    web.settle(2)
    assert "offline: " in look()
    assert alice.protocol.buddies[alice.uinOf(bot)].status is Status.ONLINE
