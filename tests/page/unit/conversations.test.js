import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Conversation,
  Conversations,
} from "../../../txwebqq/server/page/static/account/conversations.js";

function message(id, time, more = {}) {
  const segments = [{ type: "text", text: `text ${id}` }];
  return { id, time, sender: 1, isMine: false, segments, state: "sent", ...more };
}

const idsOf = (conversation) => conversation.messages.map(({ id }) => id);

test("a message is there once, and in order of time", () => {
  const conversation = new Conversation("group", 1);
  assert.equal(conversation.add(message(2, 20)), true);
  assert.equal(conversation.add(message(1, 10)), true);
  assert.equal(conversation.add(message(2, 20)), false);
  assert.equal(conversation.add(message(3, 20)), true);
  assert.deepEqual(idsOf(conversation), [1, 2, 3]);
});

test("the history and live messages are merged by their ids", () => {
  const conversation = new Conversation("group", 1);
  conversation.add(message(3, 30));
  conversation.addHistory([message(1, 10), message(2, 20), message(3, 30)]);
  conversation.addHistory([message(0, 5), message(1, 10)]);
  assert.deepEqual(idsOf(conversation), [0, 1, 2, 3]);
});

test("an own message gets its id, also if the history was faster", () => {
  const conversation = new Conversation("friend", 1);
  const own = message(0, 10, { isMine: true, state: "sending" });
  conversation.messages.push(own);
  conversation.addHistory([message(7, 10, { isMine: true })]);
  conversation.sent(own, { id: 7, time: 10 });
  assert.deepEqual(idsOf(conversation), [7]);
  assert.equal(own.state, "sent");
});

test("an own message whose answer was lost is found in the history", () => {
  const conversation = new Conversation("friend", 1);
  const segments = [{ type: "text", text: "hello" }];
  const own = message(0, 12, { isMine: true, state: "unknown", segments });
  conversation.messages.push(own);
  conversation.addHistory([message(7, 10, { isMine: true, segments })]);
  assert.deepEqual(idsOf(conversation), [7]);
});

test("an own message is where the server has put it", () => {
  const conversation = new Conversation("friend", 1);
  const [first, second, waiting] = [1, 2, 3].map((id) =>
    message(0, 10, { isMine: true, state: id === 3 ? "failed" : "sending" }),
  );
  conversation.messages.push(first, second, waiting);
  conversation.add(message(7, 12));
  conversation.sent(second, { id: 2, time: 11 });
  assert.deepEqual(conversation.messages.map(({ id }) => id), [0, 2, 0, 7]);
  // It was taken behind another one in one second, and before that of the friend.
  conversation.sent(first, { id: 1, time: 11 });
  assert.deepEqual(idsOf(conversation), [2, 1, 0, 7]);
  conversation.begin(waiting, 13);
  assert.deepEqual(idsOf(conversation), [2, 1, 7, 0]);
  // It had been taken long ago.
  conversation.sent(waiting, { id: 3, time: 10 });
  assert.deepEqual(idsOf(conversation), [3, 2, 1, 7]);
});

test("messages of one second that polls bring have their order", () => {
  const conversation = new Conversation("group", 1);
  // The newest one, of the list of conversations.
  conversation.count(3, message(3, 10));
  for (const id of [1, 2, 3, 4]) {
    conversation.add(message(id, 10));
  }
  assert.deepEqual(idsOf(conversation), [1, 2, 3, 4]);
  const opened = new Conversation("group", 2);
  opened.addHistory([1, 2, 3].map((id) => message(id, 10)));
  opened.add(message(1, 10));
  assert.deepEqual(idsOf(opened), [1, 2, 3]);
  opened.add(message(2, 10));
  assert.deepEqual(idsOf(opened), [1, 2, 3]);
});

test("an own message that was discarded on its way leaves what others bring", () => {
  const conversation = new Conversation("friend", 1);
  const own = message(0, 10, { isMine: true, state: "sending" });
  conversation.add(message(7, 10, { isMine: true }));
  conversation.sent(own, { id: 7, time: 10 });
  assert.deepEqual(conversation.messages.map((each) => each === own), [false]);
});

test("a message that was recalled before it was read is not unread", () => {
  const conversation = new Conversation("friend", 1);
  for (const id of [1, 2, 3]) {
    conversation.add(message(id, id));
  }
  conversation.unread = 2;
  conversation.recall(1, 1);
  assert.equal(conversation.unread, 2);
  conversation.recall(3, 1);
  assert.equal(conversation.unread, 1);
});

test("a recalled message has no content any more", () => {
  const conversation = new Conversation("friend", 1);
  conversation.add(message(7, 10));
  conversation.recall(7);
  conversation.recall(8);
  assert.deepEqual(conversation.messages[0].segments, []);
  assert.equal(conversation.messages[0].isRecalled, true);
});

test("recent conversations, the latest first, and unread messages", () => {
  const conversations = new Conversations();
  conversations.get("friend", 1).add(message(1, 10));
  conversations.get("group", 1).add(message(2, 20));
  conversations.get("friend", 2);
  conversations.get("friend", 1).unread = 2;
  assert.deepEqual(
    conversations.recent.map(({ key }) => key),
    ["group:1", "friend:1"],
  );
  assert.equal(conversations.unread, 2);
});

test("a message that was known before does not stand for one that was lost", () => {
  const conversation = new Conversation("friend", 1);
  const segments = [{ type: "text", text: "ok" }];
  const first = message(7, 10, { isMine: true, segments });
  conversation.add(first);
  const lost = message(0, 12, { isMine: true, state: "unknown", segments });
  conversation.messages.push(lost);
  conversation.addHistory([{ ...first }]);
  assert.deepEqual(idsOf(conversation), [7, 0]);
});

test("messages of one second have the order of the history", () => {
  const conversation = new Conversation("group", 1);
  conversation.add(message(1, 10));
  conversation.add(message(4, 10));
  conversation.addHistory([message(1, 10), message(2, 10), message(3, 10)]);
  assert.deepEqual(idsOf(conversation), [1, 2, 3, 4]);
});

test("a conversation with many messages keeps the newest, and files", () => {
  const conversation = new Conversation("group", 1);
  const file = { segments: [{ type: "file", name: "a", size: 1, key: "k" }] };
  conversation.add(message(1, 1, file));
  for (let id = 2; id <= 600; id += 1) {
    conversation.add(message(id, id));
  }
  conversation.forgetOldest();
  assert.equal(conversation.messages.length, 501);
  assert.deepEqual(idsOf(conversation).slice(0, 2), [1, 101]);
  assert.equal(conversation.oldestStored, 101);
  assert.equal(conversation.hasOlder, true);
});

test("messages of one second that came in another order have that of the history", () => {
  const conversation = new Conversation("group", 1);
  conversation.count(3, message(14, 5));
  conversation.add(message(12, 5));
  conversation.add(message(13, 5));
  conversation.add(message(20, 5));
  const history = [message(11, 4), message(12, 5), message(13, 5), message(14, 5)];
  conversation.addHistory(history);
  assert.deepEqual(idsOf(conversation), [11, 12, 13, 14, 20]);
});
