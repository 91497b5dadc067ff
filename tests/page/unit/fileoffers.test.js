import assert from "node:assert/strict";
import { test } from "node:test";

import { ok, rig, turn } from "./rig.js";

const step = (value) => [{ poll_type: "file_message", value: { from_uin: 7, ...value } }];
const offer = step({ mode: "recv", session_id: 9, name: "tea.txt", time: 5, msg_id2: 1 });
const progress = (status, value = {}) => [
  {
    poll_type: "filesrv_transfer",
    value: { from_uin: 7, lc_id: 9, file_infos: [{ file_status: status }], ...value },
  },
];

for (const [name, events, end] of [
  ["is open until it ends", progress(10), undefined],
  ["is received", progress(0), "offerDone"],
  ["fails", progress(50), "offerFailed"],
  ["expires", progress(51), "offerLate"],
  ["is refused", progress(53), "offerRefused"],
  [
    "is withdrawn, which goes before the failure that follows",
    [...step({ mode: "refuse", session_id: 9, cancel_type: 1 }), ...progress(50)],
    "offerWithdrawn",
  ],
  ["is not another one", progress(0, { lc_id: 10 }), undefined],
]) {
  test(`an offered file ${name}`, () => {
    const { client } = rig(() => ok());
    client.events.received(offer);
    const [message] = client.conversations.get("friend", 7).messages;
    client.events.received(events);
    const file = { type: "file", name: "tea.txt", size: 0, key: "", offer: 9 };
    const expected = end === undefined ? file : { ...file, end };
    assert.deepEqual(message.segments, [expected]);
    assert.equal(message.id, 0);
  });
}

test("an offered file is refused by its sender and its id", async () => {
  const asked = [];
  const { client } = rig((path, fields) => {
    asked.push([path, fields.to, fields.lcid]);
    return ok("ok");
  });
  await client.files.refuse(client.conversations.get("friend", 7), 9);
  await turn();
  assert.deepEqual(asked, [["channel/refuse_file2", "7", "9"]]);
});
