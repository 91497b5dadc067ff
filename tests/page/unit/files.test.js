import assert from "node:assert/strict";
import { test } from "node:test";

import { sizeText } from "../../../txwebqq/server/page/static/words.js";
import { ok, rig } from "./rig.js";

test("sizes have a unit in which they are short", () => {
  for (const [bytes, expected] of [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [2 ** 20, "1.0 MiB"],
    [2 ** 30 - 1, "1.0 GiB"],
    [5 * 2 ** 40, "5120.0 GiB"],
  ]) {
    assert.equal(sizeText(bytes), expected);
  }
});

test("no character hides how the name of a file ends", async () => {
  const name = "tea\u202egpj.exe";
  const expected = "tea\ufffdgpj.exe";
  const { client } = rig(() => ok({ files: [{ name, size: 1, send_uin: 7, rkey: "k", time: 1 }] }));
  client.events.received([
    { poll_type: "push_offfile", value: { from_uin: 7, name, size: 1, rkey: "k", time: 1 } },
    { poll_type: "file_message", value: { from_uin: 7, name, mode: "recv", session_id: 9, time: 2 } },
  ]);
  const { messages } = client.conversations.get("friend", 7);
  assert.deepEqual(messages.map(({ segments }) => segments[0].name), [expected, expected]);
  const [file] = await client.groupActions.files(client.conversations.get("group", 44));
  assert.equal(file.name, expected);
});
