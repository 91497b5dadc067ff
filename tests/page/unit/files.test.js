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

const past = (id, seq, more = {}) => ({
  msg_id: id,
  msg_id2: id,
  from_uin: 7,
  time: 10 * seq,
  seq,
  name: "a.txt",
  size: 3,
  ...more,
});

/** A client with a friend's conversation, whose history has messages and files. */
function withPast(messages, files) {
  const { client } = rig((path) => {
    switch (path) {
      case "channel/get_history2":
        return ok({ messages, more: 0, files });
      case "channel/send_offfile2":
        return { ...ok("ok"), msg_id2: 33, time: 30 };
      default:
        return ok({});
    }
  });
  return { client, conversation: client.conversations.get("friend", 7) };
}

const shown = ({ messages }) =>
  messages.map(({ id, segments: [first] }) => [id, first.text ?? first.key, first.isGone]);

test("files of the history are among its messages, and say when they are gone", async () => {
  const said = { ...past(2, 2), name: undefined, content: [["font", {}], "hi "] };
  const own = past(3, 3, { from_uin: 5, rkey: "own" });
  const { client, conversation } = withPast([said], [past(1, 1), own]);
  await client.history.open(conversation);
  assert.deepEqual(shown(conversation), [
    [1, "", true],
    [2, "hi", undefined],
    [3, "own", undefined],
  ]);
  assert.deepEqual(conversation.messages.map(({ isMine }) => isMine), [false, false, true]);
  assert.equal(conversation.newestStored, 2);
});

test("a file that is shown is not shown again by the history, nor by a poll after it", async () => {
  const files = [past(1, 1, { rkey: "k" }), past(2, 2, { time: 10 })];
  const { client, conversation } = withPast([], files);
  const value = { from_uin: 7, time: 10, name: "a.txt", size: 3 };
  client.events.eventReceived("push_offfile", { ...value, rkey: "k" });
  await client.history.open(conversation);
  client.events.eventReceived("push_offfile", { ...value, rkey: "k" });
  const all = [[1, "k", undefined], [2, "", true]];
  assert.deepEqual(shown(conversation), all);
  // The friend's file has gone meanwhile.
  delete files[0].rkey;
  await client.history.loadNewest(conversation);
  assert.deepEqual(shown(conversation), [[1, "", true], [2, "", true]]);
  // Two of one name, in one second.
  for (const rkey of ["l", "m"]) {
    client.events.eventReceived("push_offfile", { ...value, time: 20, rkey });
  }
  assert.equal(conversation.messages.length, 4);
});

test("an own file that was sent, or perhaps, is shown once", async () => {
  const own = { from_uin: 5, name: "b.txt", size: 4 };
  const { client, conversation } = withPast([], [past(33, 3, { ...own, rkey: "own" })]);
  const segment = { type: "file", name: "b.txt", size: 4, key: "" };
  const message = client.sending.add(conversation, [segment]);
  conversation.sent(message, { id: 33, time: 30 });
  await client.history.loadNewest(conversation);
  assert.deepEqual(shown(conversation), [[33, "own", undefined]]);
  conversation.messages = [{ ...message, id: 0, state: "unknown", segments: [segment] }];
  await client.history.loadNewest(conversation);
  assert.deepEqual(shown(conversation), [[33, "own", undefined]]);
});
