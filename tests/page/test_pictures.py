"""
Pictures that are larger than the server takes, which the page makes smaller.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.page.browser import PageServer, User, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

DRAW = """async ({ width, height, type }) => {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const [left, right] = [type === "image/png" ? 0x0000c8 : 0xff0000c8, 0xffc80000];
  let noise = 1;
  for (let at = 0; at < pixels.length; at += 1) {
    noise = (Math.imul(noise, 1103515245) + 12345) & 0x7fffffff;
    pixels[at] = (at % width < width / 2 ? left : right) | ((noise >> 8) & 0x3f00);
  }
  context.putImageData(image, 0, 0);
  const blob = await canvas.convertToBlob({ type, quality: 1 });
  const reader = new FileReader();
  const read = new Promise((resolve) => reader.addEventListener("load", resolve));
  reader.readAsDataURL(blob);
  await read;
  return reader.result.split(",")[1];
}"""

COLOURS = """(image) => {
  const { naturalHeight: height, naturalWidth: width } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const colour = (x, y) => {
    const { data } = context.getImageData(width * x, height * y, 1, 1);
    return [...data].map((each) => each >> 6);
  };
  return { width, height, first: colour(0.1, 0.1), last: colour(0.9, 0.9) };
}"""

RED, BLUE, WHITE = [3, 0, 0, 3], [0, 0, 3, 3], [3, 3, 3, 3]


def noise(user: User, width: int, height: int, kind: str) -> bytes:
    """
    Return a picture of noise, whose left half is red, or transparent in a PNG, and
    whose right half is blue.
    """
    size = {"width": width, "height": height, "type": kind}
    return base64.b64decode(user.page.evaluate(DRAW, size))


def turned(jpeg: bytes) -> bytes:
    """
    Return a JPEG with the note that the camera was turned, so that the left side is to
    be shown above.
    """
    orientation = b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
    exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01" + orientation + bytes(4)
    length = (len(exif) + 2).to_bytes(2, "big")
    return jpeg[:2] + b"\xff\xe1" + length + exif + jpeg[2:]


def movingGIF(size: int) -> bytes:
    """
    Return a GIF of two pictures and at least some bytes.
    """
    head = b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(6)
    frame = b"\x21\xf9\x04\0\x09\0\0\0" + b"\x2c" + bytes(4) + b"\x01\0\x01\0\0"
    pixels = b"\x02\x02\x44\x01\0"
    comments = b"\x21\xfe" + (b"\xff" + b"x" * 255) * (size // 256 + 1) + b"\0"
    return head + (frame + pixels) * 2 + comments + b"\x3b"


def sized(width: int, height: int) -> bytes:
    """
    Return the head of a JPEG, and nothing else.
    """
    sides = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xc0\0\x0b\x08" + sides + b"\x01\x01\x11\0\xff\xd9"


def seen(picture: Locator) -> Any:
    """
    Return the size of a picture, and the colours of two corners.
    """
    expect(picture).to_have_js_property("complete", True)
    return picture.evaluate(COLOURS)


def size(picture: Locator) -> tuple[float, float]:
    """
    Return the width and height of an element on the screen, in pixels.
    """
    box = picture.bounding_box()
    assert box is not None
    return box["width"], box["height"]


def test_madeSmaller(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A photo of several megabytes arrives, upright, and so does a transparent picture,
    on white; the page tells that it has made them smaller. A moving picture is offered
    as a file. An avatar is made smaller, too.
    """
    photo, transparent = tmp_path / "photo.jpg", tmp_path / "clear.png"
    moving = tmp_path / "moving.gif"
    with users(browser, server, tmp_path, 2) as (alice, bob):
        alice.signOn(10001).isOn().open("Friends", "Bobby")
        bob.signOn(10002).isOn().open("Friends", "Alice")
        photo.write_bytes(turned(noise(alice, 2400, 1600, "image/jpeg")))
        transparent.write_bytes(noise(alice, 800, 600, "image/png"))
        moving.write_bytes(movingGIF(250 * 1024))
        assert photo.stat().st_size > 2**21
        assert transparent.stat().st_size > 250 * 1024
        pictures = alice.page.locator("input[type=file]").first
        sent = alice.page.locator('.message[data-state="sent"] .state')
        for count, picture in enumerate((photo, transparent), 1):
            pictures.set_input_files(picture)
            expect(sent).to_have_count(count)
        expect(sent.first).to_contain_text("The picture was made smaller to be sent: ")
        arrived = bob.page.locator("img.picture")
        expect(arrived).to_have_count(2)
        first, second = (seen(arrived.nth(n)) for n in range(2))
        assert first["width"] < first["height"]
        assert (first["first"], first["last"]) == (RED, BLUE)
        assert (second["first"], second["last"]) == (WHITE, BLUE)

        pictures.set_input_files(moving)
        state = alice.page.locator('.message[data-state="failed"] .state')
        expect(state).to_contain_text("has to be a GIF of at most 250.0 KiB")
        state.get_by_role("button", name="Send as a file").click()
        expect(bob.page.locator(".content").last).to_contain_text("moving.gif (")

        bob.page.locator(".me").click()
        dialog = bob.page.get_by_role("dialog")
        dialog.locator("input[type=file]").set_input_files(moving)
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_contain_text("has to be a GIF")
        dialog.locator("input[type=file]").set_input_files(photo)
        bob.confirm("Save")
        told = bob.page.locator(".notices li")
        expect(told).to_contain_text("The avatar was made smaller: ")


def test_unsuitable(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A picture that the browser cannot read, and one of very many pixels, are not sent,
    also in small files, and the page says why, and asks before a sign-off forgets
    them. One that another program sends is
    shown as a text.
    """
    wrong, huge = tmp_path / "wrong.jpg", tmp_path / "huge.jpg"
    wrong.write_bytes(sized(20, 10))
    huge.write_bytes(sized(12_000, 9000))
    with users(browser, server, tmp_path, 2) as (alice, ming):
        ming.signOn(10003).isOn().open("Friends", "Alice")
        alice.signOn(10001).isOn().open("Friends", "小明")
        pictures = alice.page.locator("input[type=file]").first
        for picture in (wrong, huge):
            pictures.set_input_files(picture)
        states = alice.page.locator(".state")
        expect(states.nth(0)).to_contain_text("the browser cannot read this picture")
        expect(states.nth(1)).to_contain_text("at most 67 megapixels")
        alice.page.get_by_role("button", name="Sign out").click()
        question = alice.page.get_by_role("dialog")
        expect(question).to_contain_text(
            "Messages that are not delivered are forgotten"
        )
        question.get_by_role("button", name="Cancel").click()
        for _ in range(2):
            states.first.get_by_role("button", name="Discard").click()
        expect(states).to_have_count(0)

        alice.page.evaluate("createImageBitmap = async () => ({ close() {} })")
        pictures.set_input_files(wrong)
        for user in (alice, ming):
            content = user.page.locator(".content").last
            expect(content).to_have_text("picture that cannot be shown")


def test_long(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    Of a picture that is one pixel wide, a part can be seen and clicked.
    """
    long = tmp_path / "long.png"
    with users(browser, server, tmp_path) as (alice,):
        alice.signOn(10001).isOn().open("Groups", "cats")
        long.write_bytes(noise(alice, 1, 9000, "image/png"))
        alice.page.locator("input[type=file]").first.set_input_files(long)
        picture = alice.page.locator("img.picture.strip")
        assert size(picture)[0] >= 32
        picture.click()
        whole = alice.page.get_by_role("dialog").locator("img.strip")
        width, height = size(whole)
        assert width >= 32
        assert height == 9000
