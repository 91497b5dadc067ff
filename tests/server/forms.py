"""
Forms with a file, and clients that send them.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    HTTPClient,
    Response,
    ServerHarness,
    Wire,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3

JPG = b"\xff\xd8\xff\xe0" + b"picture" * 20

BOUNDARY = "----WebKitFormBoundaryxyz"


def form(
    fields: dict[str, str],
    fileField: str,
    name: str | bytes,
    data: bytes,
    tail: dict[str, str] | None = None,
) -> bytes:
    """
    The body of a form, as browsers write it.
    """
    raw = name if isinstance(name, bytes) else name.encode()
    parts = [_field(*pair) for pair in fields.items()]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{fileField}"; '.encode()
        + b'filename="'
        + raw
        + b'"\r\nContent-Type: application/octet-stream\r\n\r\n'
        + data
        + b"\r\n"
    )
    parts += [_field(*pair) for pair in (tail or {}).items()]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _field(name: str, value: str) -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        f"{value}\r\n"
    ).encode()


def upload(harness: ServerHarness, target: str, body: bytes, **headers: str) -> Wire:
    """
    Send a form.
    """
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return harness.post(target, body, {"Content-Type": kind, **headers})


def faceOf(response: Response) -> tuple[int, str]:
    """
    Get the arguments that the callback of C{cface_upload} was called with.
    """
    found = re.search(rb"\(\{'ret':(-?\d+),'msg':'(.*?)'\}\)", response.body)
    assert found is not None, response.body
    return int(found[1]), found[2].decode()


def storedOf(response: Response) -> Any:
    """
    The object in an answer of the weboffline host.
    """
    text = response.body.decode()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


class MediaTestCase(SynchronousTestCase):
    """
    Alice is signed on, and so are Bob, her friend, and Dave, who is in the
    cats as they are; Carol is Alice's friend and in no group.
    """

    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.addCleanup(self.harness.server.stop)
        self.alice, self.bob, self.carol, self.dave = (
            self.harness.client(number) for number in (ALICE, BOB, CAROL, DAVE)
        )
        for client in (self.alice, self.bob, self.carol, self.dave):
            client.catchUp()

    def uploadFace(
        self, client: HTTPClient, data: bytes = PNG, **headers: str
    ) -> Response:
        fields = {
            "from": "control",
            "f": "EQQ.Model.ChatMsg.callbackSendPicGroup",
            "vfwebqq": client.vfwebqq,
        }
        body = form(fields, "custom_face", "a.png", data, {"fileid": "1"})
        target = "/cgi-bin/cface_upload?time=1"
        return upload(self.harness, target, body, **headers).response

    def uploadFile(
        self,
        client: HTTPClient,
        data: bytes = JPG,
        name: str | bytes = "a.jpg",
        what: str = "pic",
        **fields: str,
    ) -> Any:
        before = {
            "callback": "parent.EQQ.Model.ChatMsg.callbackSendPic",
            "uin": str(client.number),
            "skey": client.skey,
            "appid": "1002101",
            "peeruin": "593023668",
            **fields,
        }
        tail = {"fileid": "1", "vfwebqq": client.vfwebqq, "senderviplevel": "0"}
        body = form(before, "file", name, data, tail)
        target = f"/ftn_access/upload_offline_{what}?time=1"
        return storedOf(upload(self.harness, target, body).response)

    def tell(self, content: list[Any]) -> Response:
        """
        Alice sends Bob a message.
        """
        return self.alice.channel(
            "send_buddy_msg2",
            to=self.alice.uin(BOB),
            content=json.dumps([*content, "", ["font", {}]]),
            msg_id=1,
        )

    def get(
        self, client: HTTPClient, path: str, headers: dict[str, str] | None = None
    ) -> Response:
        target = f"{path}&psessionid={client.psessionid}&clientid=1"
        return self.harness.get(target, headers).response

    def events(self, client: HTTPClient) -> list[Any]:
        """
        Poll all events that wait for a client.
        """
        found: list[Any] = []
        while True:
            poll = client.poll()
            if not poll.isAnswered:
                poll.close()
                return found
            found += poll.response.result

    def follow(self, response: Response) -> Response:
        """
        The answer that a redirect leads to.
        """
        self.assertEqual(response.status, 302, response.body)
        parts = urlsplit(response.all("Location")[0])
        self.assertEqual(parts.netloc, "anything.example")
        return self.harness.get(f"{parts.path}?{parts.query}").response
