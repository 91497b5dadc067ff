"""
Files that a friend offers without an upload, which other clients than the page do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from playwright.sync_api import expect

from tests.page.browser import PageServer, User, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OFFER = """([own, peer, id, psessionid, name]) => {
  const form = new FormData();
  form.append("file", new File(["tea and cats"], name));
  const query = new URLSearchParams({ psessionid });
  const path = `v2/${own}/${peer}/${id}/0/0/1/f/1/0/0?${query}`;
  void fetch(path, { method: "POST", body: form });
}"""


class Sender:
    """
    A user who offers files to the friend of the open conversation.
    """

    def __init__(self, user: User) -> None:
        with user.page.expect_request("**/send_buddy_msg2") as asked:
            user.say("take this")
        [text] = parse_qs(asked.value.post_data)["r"]
        self._values = json.loads(text)
        self._user = user
        self._count = 0

    def offer(self, name: str) -> None:
        """
        Offer a file.
        """
        self._count += 1
        peer, psessionid = self._values["to"], self._values["psessionid"]
        given = [10002, peer, self._count, psessionid, name]
        self._user.page.evaluate(OFFER, given)


def test_offer(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A file that is offered is downloaded from its sender, or refused; the page says how
    it ended.
    """
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        sender = Sender(bob.signOn(10002).isOn().open("Friends", "Alice"))
        sender.offer("notes & more.txt")
        content = alice.page.locator(".content").last
        expect(content).to_contain_text("notes & more.txt – offered for two minutes")
        with alice.page.expect_download() as downloading:
            content.get_by_role("button", name="Download").click()
        assert downloading.value.suggested_filename == "notes & more.txt"
        assert downloading.value.path().read_bytes() == b"tea and cats"
        expect(content).to_have_text("notes & more.txt – received")
        sender.offer("other.txt")
        content.get_by_role("button", name="Refuse").click()
        expect(content).to_have_text("other.txt – you have refused it")
        expect(content.get_by_role("button")).to_have_count(0)
