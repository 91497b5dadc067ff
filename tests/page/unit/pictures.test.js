import assert from "node:assert/strict";
import { test } from "node:test";

import { Unshowable } from "../../../txwebqq/server/page/static/account/pictures.js";
import { attempts, halvings } from "../../../txwebqq/server/page/static/pictures/attempts.js";
import {
  MAX_PIXELS,
  describe,
  isCommon,
  isStrip,
} from "../../../txwebqq/server/page/static/pictures/formats.js";
import { Unsuitable, fitted } from "../../../txwebqq/server/page/static/pictures/shrink.js";
import { rig } from "./rig.js";

const bytes = (...parts) =>
  Uint8Array.from(
    parts.flatMap((part) => [...(typeof part === "string" ? Buffer.from(part, "latin1") : part)]),
  );

const segment = (marker, ...data) => [0xff, marker, 0, data.length + 2, ...data];
const chunk = (kind, data) => [...bytes([0, 0, 0, data.length], kind, data), 0, 0, 0, 0];
const gifImage = [0x2c, 0, 0, 0, 0, 3, 0, 2, 0, 0, 2, 1, 0x44, 0];
const gifDelay = [0x21, 0xf9, 4, 0, 9, 0, 0, 0];
const gifHead = ["GIF89a", [3, 0, 2, 0, 0x80, 0, 0, ...Array(6).fill(0)]];
const size = [0, 0, 0, 3, 0, 0, 0, 2];

test("kinds, sizes and animations are found in the bytes", () => {
  const frame = segment(0xc2, 8, 0, 2, 0, 3, 3);
  const cases = {
    jpeg: bytes([0xff, 0xd8], segment(0xe1, ...Array(40)), [0xff], segment(0xc4, 1), frame),
    png: bytes("\x89PNG\r\n\x1a\n", chunk("IHDR", [...size, 8, 6, 0, 0, 0]), chunk("IDAT", [1])),
    gif: bytes(...gifHead, gifDelay, gifImage, [0x3b]),
    bmp: bytes("BM", Array(12).fill(0), [40, 0, 0, 0, 3, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]),
    webp: bytes("RIFF", [0, 0, 0, 0], "WEBPVP8L", [0, 0, 0, 0, 0x2f, 2, 0x40, 0, 0]),
    heif: bytes([0, 0, 0, 0], "ftypheic", [0, 0], "ispe", [0, 0, 0, 0], size, [0, 0, 0, 0]),
  };
  for (const [kind, content] of Object.entries(cases)) {
    const expected = { kind, width: 3, height: 2, isAnimated: false };
    assert.deepEqual(describe(content), expected);
    assert.equal(isCommon(expected), !["webp", "heif"].includes(kind));
  }
});

test("moving pictures are found", () => {
  const head = chunk("IHDR", [...size, 8, 6, 0, 0, 0]);
  for (const content of [
    bytes(...gifHead, gifDelay, gifImage, gifDelay, gifImage, [0x3b]),
    bytes("\x89PNG\r\n\x1a\n", head, chunk("acTL", [0, 0, 0, 2]), chunk("IDAT", [1])),
    bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", [0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 1, 0, 0]),
  ]) {
    const { height, isAnimated, width } = describe(content);
    assert.deepEqual([width, height, isAnimated], [3, 2, true]);
  }
});

test("other bytes, and those that end too early, are nothing or still", () => {
  assert.equal(describe(bytes()).kind, "");
  assert.equal(describe(bytes("<svg/>")).kind, "");
  assert.equal(describe(bytes([0xff, 0xd8, 0xff, 0xe0, 0, 4])).kind, "");
  assert.equal(describe(bytes(...gifHead, gifImage.slice(0, 12))).isAnimated, false);
});

test("large pictures begin with three megapixels, and others with their own size", () => {
  const first = (width, height) => attempts(width, height, 1000).next().value;
  assert.deepEqual(first(8000, 6000), { width: 2048, height: 1536, quality: 0.85 });
  assert.deepEqual(first(6000, 8000), { width: 1536, height: 2048, quality: 0.85 });
  assert.deepEqual(first(640, 480), { width: 640, height: 480, quality: 0.85 });
  // A long picture of a screen stays readable.
  assert.deepEqual(first(1080, 8000), { width: 652, height: 4827, quality: 0.85 });
  assert.equal(first(60_000, 10).width, 16_384);
  assert.equal(first(60_000, 1).height, 1);
});

test("a lower quality is tried where it may be enough, and then fewer pixels", () => {
  const tried = [];
  const tries = attempts(1600, 1200, 1000);
  let next = tries.next();
  for (const bytesOfIt of [5000, 1900, 1500, 1100]) {
    tried.push([next.value.width, next.value.quality]);
    next = tries.next(bytesOfIt);
  }
  assert.deepEqual(tried, [
    [1600, 0.85],
    [1280, 0.85],
    [1280, 0.75],
    [1280, 0.65],
  ]);
  assert.equal(next.value.width, 1024);
  let count = 0;
  for (; !next.done; next = tries.next(1100)) {
    count += 1;
  }
  assert.equal(count, 18);
});

test("a picture becomes smaller by half at most", () => {
  assert.deepEqual(halvings(8000, 2048), [2, 1]);
  assert.deepEqual(halvings(9000, 2048), [4, 2, 1]);
  assert.deepEqual(halvings(640, 640), [1]);
});

test("a GIF is as large as its first part", () => {
  const part = gifImage.with(1, 2).with(4, 1).with(6, 3);
  const { height, width } = describe(bytes(...gifHead, part, [0x3b]));
  assert.deepEqual([width, height], [2 + 3 + 3 * 256, 256 + 2]);
});

test("pictures that are very long are strips", () => {
  assert.ok(isStrip(1, 9000) && isStrip(12_000, 4));
  assert.ok(!isStrip(1, 1) && !isStrip(1080, 8000));
});

test("a received picture of unknown or very many pixels is not decoded", async () => {
  const still = (width) => bytes("BM", Array(12).fill(0), [40, 0, 0, 0, 1, 0, 0, 0, 0, 0], width);
  const fetched = (content) => {
    const headers = { "content-type": "image/bmp" };
    const { client } = rig(() => new Response(content, { headers }));
    return client.pictures.avatar(7, false);
  };
  assert.equal((await fetched(still([0, 4]))).type, "image/bmp");
  await assert.rejects(fetched(still([1, 4])), Unshowable);
  await assert.rejects(fetched(bytes("BM")), Unshowable);
});

test("what fits is sent as it is, and what cannot be made to fit is named", async (t) => {
  t.after(() => delete globalThis.createImageBitmap);
  const problemOf = async (content, limit) => {
    try {
      const file = new File([content], "a.png");
      return (await fitted(file, limit)) === file ? "" : "changed";
    } catch (error) {
      assert.ok(error instanceof Unsuitable);
      return error.problem;
    }
  };
  const moving = bytes(...gifHead, gifImage, gifImage, [0x3b]);
  // This browser reads none.
  assert.equal(await problemOf(moving, moving.length), "unreadable");
  globalThis.createImageBitmap = async () => ({ close: () => {} });
  assert.equal(await problemOf(moving, moving.length), "");
  assert.equal(await problemOf(moving, moving.length - 1), "animation");
  assert.equal(await problemOf(bytes("<svg/>"), 1000), "unreadable");
  const side = Math.sqrt(MAX_PIXELS) / 256;
  const huge = segment(0xc0, 8, side, 0, side, 1, 3);
  assert.equal(await problemOf(bytes([0xff, 0xd8], huge), 5), "pixels");
  assert.equal(await problemOf(bytes([0xff, 0xd8], huge), 1000), "pixels");
  // It makes none smaller.
  const large = segment(0xc0, 8, side, 0, side, 0, 3);
  assert.equal(await problemOf(bytes([0xff, 0xd8], large), 5), "unreadable");
});
