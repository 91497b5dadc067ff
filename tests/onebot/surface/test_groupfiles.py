"""
Files of groups, as a bot shares and fetches them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.onebot.surface.test_events import Scene
from txwebqq.onebot.surface.files import MAX_FILE, FileLoader

DATA = b"tea at eight\n" * 100
ADDRESS = "base64://" + b64encode(DATA).decode()


@pytest.fixture
def scene() -> Scene:
    """
    A bot, which owns a group, and Alice and Carol in it.
    """
    scene = Scene()
    scene.alice.run()
    return scene


def shared(scene: Scene, name: str = "茶.txt") -> dict[str, Any]:
    """
    Have Alice share a file, and return the bot's notice.
    """
    gid = scene.alice.groupCalled("猫咪").gid
    scene.web.result(scene.alice.protocol.sendGroupFile(gid, DATA, name))
    return scene.happened()[-1]


def test_notice(scene: Scene) -> None:
    """
    A shared file is told of, and can be fetched by the id in the notice, which does
    not contain the key.
    """
    notice = shared(scene)
    file = notice.pop("file")
    assert {k: v for k, v in notice.items() if k not in ("time", "self_id")} == {
        "post_type": "notice",
        "notice_type": "group_upload",
        "group_id": scene.group,
        "user_id": scene.alice.number,
    }
    assert (file["name"], file["size"]) == ("茶.txt", len(DATA))
    known = scene.bot.account.files.get(file["id"])
    assert known is not None
    assert known.key not in file["id"]
    params = {"group_id": scene.group, "file_id": file["id"], "busid": file["busid"]}
    assert scene.bot.call("get_group_file_url", **params) == {"url": ADDRESS}
    got = scene.bot.call("get_file", file_id=file["id"])
    assert b64decode(got["base64"]) == DATA
    assert got["file_name"] == "茶.txt"


def test_list(scene: Scene) -> None:
    """
    The files of a group are listed by the ids of their notices, and found by them when
    they are not remembered, also after another sign-on.
    """
    name = shared(scene)["file"]["id"]
    scene.person.stop()
    scene.bot.signOn()
    scene.bot.account.files._known.clear()
    params = {"group_id": scene.group, "file_id": name}
    assert scene.bot.call("get_group_file_url", **params) == {"url": ADDRESS}
    listed = scene.bot.call("get_group_root_files", group_id=scene.group)
    assert listed["folders"] == []
    (file,) = listed["files"]
    assert file["file_id"] == name
    assert file["file_name"] == "茶.txt"
    assert file["uploader"] == scene.alice.number
    assert file["uploader_name"] == "阿梨"
    assert file["dead_time"] > file["upload_time"]
    scene.person.stop()
    scene.bot.signOn()
    scene.bot.call("delete_group_file", **params)
    assert scene.bot.call("get_group_root_files", group_id=scene.group)["files"] == []


def test_upload(scene: Scene) -> None:
    """
    A bot shares a file, and deletes it.
    """
    name = scene.bot.call(
        "upload_group_file", group_id=scene.group, file=ADDRESS, name="t.txt"
    )["file_id"]
    scene.web.settle(1)
    file: Any = scene.alice.events[-1]
    assert bytes(scene.web.result(scene.alice.protocol.fetchGroupFile(file))) == DATA
    listed = scene.bot.call("get_group_root_files", group_id=scene.group)
    assert [each["file_id"] for each in listed["files"]] == [name]
    params = {"group_id": scene.group, "file_id": name}
    scene.bot.call("delete_group_file", **params)
    listed = scene.bot.call("get_group_root_files", group_id=scene.group)
    assert listed["files"] == []
    for action in ("delete_group_file", "get_group_file_url"):
        assert "not in the group" in scene.bot.refused(action, **params)


def test_otherGroup(scene: Scene) -> None:
    """
    The file of a group is not in another one, nor in a discussion.
    """
    name = shared(scene)["file"]["id"]
    other = scene.web.group("别处", scene.person)
    scene.person.stop()
    scene.bot.signOn()
    params = {"file_id": name}
    refused = scene.bot.refused
    for action in ("get_group_file_url", "delete_group_file"):
        assert "not in the group" in refused(action, group_id=other, **params)
        reason = refused(action, group_id=scene.discussion, **params)
        assert "a discussion" in reason
    assert "a discussion" in refused(
        "upload_group_file", group_id=scene.discussion, file=ADDRESS
    )
    assert "in no group" in refused("get_file", file_id="/other")


def test_large(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A file that is too large for a reply is refused, also when its size was not told.
    """
    module = "txwebqq.onebot.surface.calls.groupfiles.MAX_FILE"
    monkeypatch.setattr(module, len(DATA) - 1)
    name = shared(scene)["file"]["id"]
    files = scene.bot.account.files
    file = files.get(name)
    assert file is not None
    for size in (len(DATA), 0):
        assert files.keep(replace(file, size=size)) == name
        reason = scene.bot.refused("get_file", file_id=name)
        assert f"more than {len(DATA) - 1} bytes" in reason
    assert len(DATA) < MAX_FILE


def test_paths(scene: Scene, tmp_path: Path) -> None:
    """
    A bot shares files of one folder, and no others of this machine, by no way.
    """
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "茶 1.txt").write_bytes(DATA)
    (tmp_path / "password").write_text("secret", encoding="utf-8")
    (folder / "link").symlink_to(tmp_path / "password")
    account = scene.bot.account

    def upload(file: str) -> dict[str, Any]:
        return scene.bot.reply("upload_group_file", group_id=scene.group, file=file)

    good = [str(folder / "茶 1.txt"), (folder / "茶 1.txt").as_uri()]
    assert "files-folder is not set" in upload(good[0])["message"]
    account.fileLoader = FileLoader(account.loader, folder)
    for file in good:
        assert upload(file)["status"] == "ok"
    listed = scene.bot.call("get_group_root_files", group_id=scene.group)["files"]
    assert [each["file_name"] for each in listed] == ["茶 1.txt"] * 2
    for file in (
        str(tmp_path / "password"),
        str(folder / "link"),
        str(folder / ".." / "password"),
        f"file://{folder}/%2e%2e/password",
        str(folder),
        str(folder / "none"),
        f"{folder}/\0",
    ):
        reply = upload(file)
        assert reply["status"] == "failed"
        assert "no such file in files-folder" in reply["message"]
    for file in ("t.txt", "ftp://x/t", "", "base64://?"):
        assert upload(file)["retcode"] == 1400
    assert "absolute path" in upload("t.txt")["message"]
    assert (
        len(scene.bot.call("get_group_root_files", group_id=scene.group)["files"]) == 2
    )
