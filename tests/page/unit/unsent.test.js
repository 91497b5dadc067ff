import assert from "node:assert/strict";
import { test } from "node:test";

import { ok, rig, tab, text, turn } from "./rig.js";

/**
 * Answer as a server at which the friend 10002 is the uin that is given, and which has
 * taken the messages with some ids.
 */
function server(uin, { taken = [], isUp = true, asked = [] } = {}) {
  return (path, fields) => {
    asked.push([path, fields]);
    switch (path) {
      case "channel/send_buddy_msg2":
        return isUp ? { retcode: 0, msg_id2: 3 + asked.length, time: 9 } : "<html>portal</html>";
      case "api/get_friend_uin2":
        return ok({ account: 10002 });
      case "api/search_qq_by_uin2":
        return ok({ tuin: uin });
      case "api/get_user_friends2":
        return ok({ friends: [{ uin, categories: 0 }], info: [{ uin, nick: "Bob" }] });
      case "channel/get_sent2":
        return ok(taken.includes(fields.send_id) ? { msg_id2: 8, time: 9 } : {});
      case "api/get_requests2":
      case "channel/get_recent_list2":
        return ok([]);
      case "channel/get_history2":
        return ok({ messages: [], more: 0 });
      default:
        return ok();
    }
  };
}

const shown = ({ messages }) => messages.map(({ segments, state }) => [segments[0].text, state]);

test("messages that are not delivered are in the conversation of a new session", async () => {
  let answer = server(7, { isUp: false });
  const { client } = rig((...request) => answer(...request));
  await client.joined(true);
  const before = client.conversations.get("friend", 7);
  await client.history.open(before);
  for (const words of ["arrived", "lost"]) {
    await client.sending.send(before, text(words));
  }
  assert.deepEqual(shown(before), [["arrived", "unknown"], ["lost", "unknown"]]);
  const [arrived, lost] = before.messages.map(({ sendId }) => sendId);
  const asked = [];
  answer = server(77, { taken: [arrived], asked });
  await client.joined(true);
  assert.equal(client.conversations.all.has("friend:7"), false);
  const after = client.conversations.get("friend", 77);
  assert.deepEqual(shown(after), [["lost", "failed"]]);
  await client.sending.retry(after, after.messages[0]);
  const [, { r }] = asked.findLast(([path]) => path === "channel/send_buddy_msg2");
  assert.deepEqual([JSON.parse(r).to, JSON.parse(r).send_id], [77, lost]);
  assert.deepEqual(shown(after), [["lost", "sent"]]);
});

test("when the connection is back, what has not arrived is sent again, in order", async () => {
  let answer = server(7, { isUp: false });
  const { client } = rig((...request) => answer(...request));
  await client.joined(true);
  const conversation = client.conversations.get("friend", 7);
  await client.history.open(conversation);
  for (const words of ["arrived", "first", "second"]) {
    await client.sending.send(conversation, text(words));
  }
  const ids = conversation.messages.map(({ sendId }) => sendId);
  const asked = [];
  answer = server(7, { taken: [ids[0]], asked });
  await client.joined(false);
  await turn();
  assert.deepEqual(
    asked
      .filter(([path]) => path === "channel/send_buddy_msg2")
      .map(([, { r }]) => JSON.parse(r).send_id),
    ids.slice(1),
  );
  assert.deepEqual(shown(conversation), [
    ["arrived", "sent"],
    ["first", "sent"],
    ["second", "sent"],
  ]);
});

test("without a database nothing is sent again by itself", async () => {
  const answer = server(7, { isUp: false });
  const asked = [];
  const { client } = rig((path, fields) => {
    asked.push(path);
    return path === "channel/get_sent2" ? { retcode: 100000 } : answer(path, fields);
  });
  await client.joined(true);
  const conversation = client.conversations.get("friend", 7);
  await client.sending.send(conversation, text("hello"));
  await client.joined(false);
  await turn();
  assert.deepEqual(shown(conversation), [["hello", "unknown"]]);
  assert.equal(asked.filter((path) => path === "channel/send_buddy_msg2").length, 1);
});

test("a message whose answer alone was lost is sent again on a connected page", async () => {
  let answer = server(7, { isUp: false });
  const { client } = rig((...request) => answer(...request));
  const later = [];
  client.sending.later = (milliseconds, act) => void later.push(act);
  await client.joined(true);
  const conversation = client.conversations.get("friend", 7);
  await client.sending.send(conversation, text("hello"));
  assert.deepEqual(shown(conversation), [["hello", "unknown"]]);
  const asked = [];
  answer = server(7, { asked });
  client.state = "reconnecting";
  later.shift()();
  await turn();
  assert.deepEqual(asked, []);
  client.state = "online";
  await client.sending.repeat();
  assert.deepEqual(shown(conversation), [["hello", "sent"]]);
  assert.equal(later.length, 0);
});

test("messages that are not delivered outlive a reload, and no sign-off", async () => {
  const storage = tab();
  const { client } = rig(server(7, { isUp: false }), storage);
  await client.joined(true);
  const before = client.conversations.get("friend", 7);
  await client.history.open(before);
  await client.sending.send(before, text("lost"));

  const { client: other } = rig(server(7), storage, 6);
  await other.joined(true);
  assert.deepEqual([...other.conversations.all], []);

  client.unsent.keep();
  const { client: reloaded } = rig(server(7), storage);
  await reloaded.joined(true);
  const after = reloaded.conversations.get("friend", 7);
  assert.deepEqual(shown(after), [["lost", "failed"]]);
  assert.ok(storage.values.size > 0);
  reloaded.stateChanged("online", "");
  await reloaded.session.signOff();
  assert.equal(storage.values.size, 0);
});

test("a picture on its way is there again after a sign-on elsewhere", async () => {
  let answer = server(7);
  const { client } = rig((...request) => answer(...request), tab());
  await client.joined(true);
  const before = client.conversations.get("friend", 7);
  await client.history.open(before);
  let ended;
  client.pictures.fitted = (_, signal) =>
    new Promise((_, reject) => {
      ended = signal;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const file = new File([], "a.png");
  void client.sending.sendFiles(before, [file], true);
  await turn();
  client.stateChanged("kicked", "");
  assert.ok(ended.aborted);
  answer = server(77);
  await client.joined(true);
  const [message] = client.conversations.get("friend", 77).messages;
  assert.deepEqual([message.state, message.upload.file], ["failed", file]);
  assert.ok(!message.upload.cancelling.signal.aborted);
  // It is nothing to another account.
  client.stateChanged("kicked", "");
  client.session.kept = { number: 6, clientid: "1", psessionid: "p", ack: 0 };
  await client.joined(true);
  assert.deepEqual(client.unsent.entries, []);
});

test("drafts are in the conversations of a new session, and of a reload", async () => {
  let answer = server(7);
  const storage = tab();
  const { client, names } = rig((...request) => answer(...request), storage);
  await client.joined(true);
  const before = client.conversations.get("friend", 7);
  await client.history.open(before);
  const draft = { text: "dear @Bob", mentions: [{ name: "Bob", number: 10002 }], replied: null };
  before.draft = draft;
  answer = server(77);
  await client.joined(true);
  assert.deepEqual(client.conversations.get("friend", 77).draft, draft);
  assert.equal(names().includes("unsentLost"), false);
  client.unsent.keep();
  const { client: reloaded } = rig(server(77), storage);
  await reloaded.joined(true);
  assert.deepEqual(reloaded.conversations.get("friend", 77).draft, draft);
  // A session that has expired may be followed by another one of the account.
  reloaded.stateChanged("expired", "");
  const { client: later } = rig(server(777), storage);
  await later.joined(true);
  assert.deepEqual(later.conversations.get("friend", 777).draft, draft);
});

test("a message whose conversation is not found is shown by itself", async () => {
  let answer = server(7, { isUp: false });
  const { client, told } = rig((...request) => answer(...request));
  await client.joined(true);
  const before = client.conversations.get("friend", 7);
  await client.sending.send(before, text("lost"));
  answer = server(77);
  await client.joined(true);
  const [, { name, messages }] = told.find(([name]) => name === "unsentLost");
  assert.deepEqual([name, messages[0].segments], ["Bob", text("lost")]);
});

test("a server without a database shows what has arrived once", async () => {
  const storage = tab();
  const { client } = rig(server(7, { isUp: false }), storage);
  await client.joined(true);
  const before = client.conversations.get("friend", 7);
  await client.history.open(before);
  await client.sending.send(before, text("ok"));
  const { time } = before.messages[0];
  const last = { msg_id2: 8, from_uin: 5, time, content: [["font", {}], "ok "] };
  for (const [newest, expected] of [
    [last, [["ok", "sent"]]],
    [{ ...last, time: time - 60 }, [["ok", "sent"], ["ok", "unknown"]]],
  ]) {
    client.unsent.keep();
    const answer = server(7);
    const { client: reloaded } = rig((path, fields) => {
      if (path === "channel/get_recent_list2") {
        return ok([{ type: 0, uin: 7, last: newest }]);
      }
      return path === "channel/get_sent2" ? { retcode: 100000 } : answer(path, fields);
    }, storage);
    await reloaded.joined(true);
    assert.deepEqual(shown(reloaded.conversations.get("friend", 7)), expected);
  }
});
