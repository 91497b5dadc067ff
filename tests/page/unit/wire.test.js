import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MalformedReply,
  bytesOf,
  callArguments,
  contentSize,
  parseUploadReply,
  plainText,
  readContent,
  writeContent,
} from "../../../txwebqq/server/page/static/wire.js";

test("the arguments of a call, with escapes", () => {
  const text = String.raw`ptui_checkVC('0','!K7Q','\x00\x00\x00\x00\x00\x00\x27\x11');`;
  const [flag, code, salt] = callArguments(text);
  assert.equal(flag, "0");
  assert.equal(code, "!K7Q");
  assert.deepEqual([...bytesOf(salt)], [0, 0, 0, 0, 0, 0, 0x27, 0x11]);
  const login = String.raw`ptuiCB('0','0','http:\/\/x','0','登录成功！', 'back\\\'s');` + "\r\n";
  assert.deepEqual(callArguments(login).slice(4), ["登录成功！", "back\\'s"]);
  assert.throws(() => callArguments("<html>"), MalformedReply);
});

test("replies to uploads, with both kinds of quotation marks", () => {
  const picture = "<script>parent.f({'ret':0,'msg':'00ff.png'});</script>";
  assert.deepEqual(parseUploadReply(picture), { ret: 0, msg: "00ff.png" });
  const file = '<script>parent.f({"retcode":0, "filename":"it\'s"});</script>';
  assert.deepEqual(parseUploadReply(file), { retcode: 0, filename: "it's" });
  assert.throws(() => parseUploadReply("<html></html>"), MalformedReply);
});

test("a received content", () => {
  const { font, segments } = readContent([
    ["font", { size: 12, color: "ff0000", style: [1, 0, 0], name: "Arial" }],
    "hi",
    ["face", 14],
    ["at", 10002, "Bob"],
    ["reply", 5],
    ["cface", { name: "{A}.jpg", file_id: 3, key: "k", server: "1.2.3.4:80" }],
    ["offpic", { success: 1, file_path: "/p" }],
    ["strange", 1],
    " there\r\nyou ",
  ]);
  assert.equal(font.color, "ff0000");
  assert.deepEqual(segments, [
    { type: "text", text: "hi" },
    { type: "face", id: 14 },
    { type: "mention", number: 10002, name: "Bob" },
    { type: "reply", id: 5 },
    { type: "groupPicture", name: "{A}.jpg", fileId: 3, server: "1.2.3.4:80" },
    { type: "photo", path: "/p", name: "", size: 0, ok: true },
    { type: "unknown" },
    { type: "text", text: " there\nyou" },
  ]);
});

test("a content that is none, and a font that is broken", () => {
  assert.deepEqual(readContent(null).segments, []);
  const { font } = readContent([["font", { size: 1e9, color: "red;x", style: 3 }], "a "]);
  assert.equal(font.size, 72);
  assert.equal(font.color, "000000");
  assert.deepEqual(readContent([["font"], "a "]).segments, [{ type: "text", text: "a" }]);
});

test("a content to send is JSON with its font last, and has a text", () => {
  const sent = JSON.parse(writeContent([{ type: "face", id: 14 }]));
  assert.deepEqual(sent.slice(0, 2), [["face", 14], ""]);
  assert.equal(sent.at(-1)[0], "font");
  assert.equal(sent.at(-1)[1].size, "10");
});

test("the plain text of segments", () => {
  const { segments } = readContent(["a ", ["face", 14], ["cface", "x"], " "]);
  assert.equal(plainText(segments, () => "Smile", "picture"), "a [Smile][picture]");
});

test("the size of a content is that which the server limits", () => {
  const segments = [
    { type: "text", text: "汉a" },
    { type: "face", id: 14 },
  ];
  assert.equal(contentSize(segments), 4 + '["face",14]'.length);
});
