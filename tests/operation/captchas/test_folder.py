"""
Captchas in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from tests.rig import CapturedLog
from txwebqq.errors import CaptchaUnsolved
from txwebqq.model import Number
from txwebqq.operation.captchas.folder import INTERVAL, MAX_ANSWER, CaptchaFolder
from txwebqq.operation.captchas.options import CaptchaOptions

NUMBER = Number(10001)
JPEG = b"\xff\xd8\xff and more"
PNG = b"\x89PNG\r\n\x1a\n and more"


class Folder:
    """
    A folder for captchas.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.captchas = CaptchaFolder(path, self.clock)

    def ask(self, image: bytes = JPEG) -> Deferred[str]:
        return self.captchas.ask(NUMBER, image)

    def write(self, data: bytes) -> None:
        (self.path / "10001.txt").write_bytes(data)

    @property
    def names(self) -> list[str]:
        return sorted(each.name for each in self.path.iterdir())

    def look(self) -> None:
        self.clock.advance(INTERVAL)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """
    Make an empty folder, which is empty in the end.
    """
    folder = Folder(tmp_path)
    yield folder
    assert folder.names == []
    assert folder.clock.getDelayedCalls() == []


def result(answer: Deferred[str]) -> str:
    """
    Return the text of a captcha that was answered.
    """
    results: list[str] = []
    answer.addCallback(results.append)
    [text] = results
    return text


@pytest.mark.parametrize(("image", "name"), [(JPEG, "10001.jpg"), (PNG, "10001.png")])
def test_answered(folder: Folder, image: bytes, name: str) -> None:
    """
    The image is in a file that only its owner may read, until there is an answer.
    """
    answer = folder.ask(image)
    assert folder.names == [name]
    file = folder.path / name
    assert file.read_bytes() == image
    assert file.stat().st_mode & 0o777 == 0o600
    folder.look()
    folder.write(b" tExT \r\n")
    folder.look()
    assert result(answer) == "tExT"


def test_stale(folder: Folder) -> None:
    """
    The answer to an earlier captcha is removed, and so is its image.
    """
    folder.write(b"old\n")
    (folder.path / "10001.png").write_bytes(PNG)
    answer = folder.ask()
    assert folder.names == ["10001.jpg"]
    folder.look()
    assert not answer.called
    folder.write(b"new\n")
    folder.look()
    assert result(answer) == "new"


def test_growing(folder: Folder) -> None:
    """
    A file that is being written is no answer yet; without an end of line it is one
    when it has not grown for a while.
    """
    answer = folder.ask()
    for part in (b"", b"A", b"AB", b"ABC"):
        folder.write(part)
        folder.look()
    assert not answer.called
    folder.look()
    assert result(answer) == "ABC"


def test_unfit(folder: Folder, tmp_path: Path) -> None:
    """
    A link or a folder is no answer, and one that is too long is removed.
    """
    answer = folder.ask()
    text = tmp_path / "10001.txt"
    text.symlink_to("/proc/self/status")
    folder.look()
    text.unlink()
    text.mkdir()
    folder.look()
    text.rmdir()
    folder.write(b"x" * (MAX_ANSWER + 1) + b"\n")
    with CapturedLog() as log:
        folder.look()
    assert "is longer than 100 bytes" in log.text
    assert folder.names == ["10001.jpg"]
    assert not answer.called
    folder.write(b"short\n")
    folder.look()
    assert result(answer) == "short"


def test_withdrawn(folder: Folder) -> None:
    """
    A captcha that needs no answer any more is removed.
    """
    answer = folder.ask()
    folder.write(b"late\n")
    failures: list[Failure] = []
    answer.addErrback(failures.append)
    answer.cancel()
    assert [failure.type for failure in failures] == [CancelledError]


def test_others(folder: Folder) -> None:
    """
    Accounts do not take each other's files.
    """
    other = folder.captchas.ask(Number(10002), PNG)
    mine = folder.ask()
    folder.write(b"mine\n")
    folder.look()
    assert (result(mine), other.called) == ("mine", False)
    assert folder.names == ["10002.png"]
    (folder.path / "10002.txt").write_bytes(b"other\n")
    folder.look()
    assert result(other) == "other"


def test_notWritable(tmp_path: Path) -> None:
    """
    A folder that is gone is told, and does not stop the other ways.
    """
    captchas = CaptchaFolder(tmp_path / "gone", Clock())
    failures: list[Failure] = []
    with CapturedLog() as log:
        captchas.ask(NUMBER, JPEG).addErrback(failures.append)
    assert failures[0].check(CaptchaUnsolved)
    assert "No such file or directory" in log.text


def test_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The option names the folder, from where the daemon was started.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "captchas").mkdir(mode=0o755)
    options = CaptchaOptions()
    options.parseOptions(["--captcha-folder", "captchas"])
    found = options.readCaptchaFolder()
    assert found is not None
    assert found.is_absolute()
    options = CaptchaOptions()
    options.parseOptions([])
    assert options.readCaptchaFolder() is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone", "No such file"),
        ("file", "is no folder"),
        ("open", "all users can write"),
    ],
)
def test_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    """
    A folder that cannot be used is an error that names the option.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    options = CaptchaOptions()
    options.parseOptions(["--captcha-folder", name])
    with pytest.raises(UsageError, match=f"--captcha-folder.*{problem}"):
        options.readCaptchaFolder()
