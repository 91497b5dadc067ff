import assert from "node:assert/strict";
import { test } from "node:test";

import { CaptchaWanted } from "../../../txwebqq/server/page/static/account/people.js";
import { lineOf, previewOf } from "../../../txwebqq/server/page/static/views/message/preview.js";
import { newsText } from "../../../txwebqq/server/page/static/views/news.js";
import { ok, rig, text, turn } from "./rig.js";

test("a message whose answer is not readable was perhaps delivered", async () => {
  const { client } = rig(() => "<html>portal</html>");
  const conversation = client.conversations.get("friend", 7);
  await client.sending.send(conversation, text("hello"));
  assert.equal(conversation.messages[0].state, "unknown");
});

test("a message that is sent again has the id that it had", async () => {
  const ids = [];
  let isBroken = true;
  const { client } = rig((path, { r }) => {
    ids.push(JSON.parse(r).send_id);
    return isBroken ? "<html>portal</html>" : { retcode: 0, msg_id2: 3, time: 9 };
  });
  const conversation = client.conversations.get("friend", 7);
  await client.sending.send(conversation, text("hello"));
  isBroken = false;
  await client.sending.retry(conversation, conversation.messages[0]);
  await client.sending.send(conversation, text("hello"));
  assert.equal(ids[0].length, 32);
  assert.equal(ids[1], ids[0]);
  assert.notEqual(ids[2], ids[0]);
  assert.equal(conversation.messages[0].state, "sent");
});

test("typing is told to friends, unless one is invisible", async () => {
  const asked = [];
  const { client } = rig((path) => {
    asked.push(path);
    return ok();
  });
  const conversation = client.conversations.get("friend", 7);
  await client.tellTyping(conversation);
  client.session.kept.status = "hidden";
  await client.tellTyping(conversation);
  assert.deepEqual(asked, ["channel/input_notify2"]);
});

test("a draft stands in the list while its conversation is not open", async () => {
  const { client } = rig(() => ({ retcode: 0, msg_id2: 3, time: 9 }));
  const conversation = client.conversations.get("friend", 7);
  conversation.draft = { text: "half", mentions: [], replied: null };
  assert.match(previewOf(client, conversation), /half/);
  conversation.isOpen = true;
  await client.sending.send(conversation, text("whole"));
  assert.equal(previewOf(client, conversation), "whole");
});

test("a long text is cut with dots, in the list and in quotes", () => {
  assert.equal(lineOf("a \n b"), "a b");
  assert.equal(lineOf("x".repeat(80)), "x".repeat(80));
  assert.equal(lineOf("x".repeat(81)), `${"x".repeat(80)}…`);
  assert.equal(lineOf(`x${" ".repeat(400)}y`), "x…");
});

test("pictures keep the order in which they were chosen", async () => {
  const sent = [];
  const { client } = rig((path, { r }) => {
    if (path !== "channel/send_buddy_msg2") {
      return ok();
    }
    sent.push(/"content":".*?(\w+\.png)/.exec(r)[1]);
    return { retcode: 0, msg_id2: sent.length, time: 9 };
  });
  const uploads = new Map(["first.png", "second.png"].map((name) => [name, Promise.withResolvers()]));
  client.pictures.fitted = async (file) => file;
  client.pictures.uploadPicture = async (_, { name }) => {
    await uploads.get(name).promise;
    return { type: "friendPicture", name };
  };
  const conversation = client.conversations.get("friend", 7);
  const sending = [...uploads.keys()].map((name) =>
    client.sending.sendFiles(conversation, [new File([], name)], true),
  );
  assert.equal(conversation.messages.length, 2);
  uploads.get("second.png").resolve();
  await turn();
  uploads.get("first.png").resolve();
  await Promise.all(sending);
  assert.deepEqual(sent, [...uploads.keys()]);
});

test("a picture that could not be asked for a signature was not delivered", async () => {
  const { client } = rig((path) => {
    assert.equal(path, "channel/get_gface_sig2");
    throw new Error("no network");
  });
  const conversation = client.conversations.get("group", 7);
  await client.sending.send(conversation, [{ type: "groupPicture", name: "a.png", fileId: 0, server: "" }]);
  assert.equal(conversation.messages[0].state, "failed");
});

test("a refusal of a discussion, whose retcode is 0, is a refusal", async () => {
  const refusals = {
    "channel/create_discu": { result: 1 },
    "channel/modify_discu_info": { error: 2 },
    "channel/quit_discu": { error: 3 },
    "channel/send_discu_msg2": { error: 3 },
  };
  const { client } = rig((path) => ok(refusals[path] ?? []));
  const codeOf = (/** @type {Promise<unknown>} */ asking) =>
    asking.catch((error) => error.code);
  assert.equal(await codeOf(client.people.createDiscussion("plans", [7])), -40001);
  assert.equal(await codeOf(client.people.renameDiscussion(3, "x")), -40003);
  assert.equal(await codeOf(client.people.leaveDiscussion(3)), 100001);
  const conversation = client.conversations.get("discussion", 3);
  await client.sending.send(conversation, text("hello"));
  assert.equal(conversation.messages[0].state, "failed");
  assert.equal(conversation.messages[0].problem, "100001");
});

test("a new friend is shown with the status, which may have come before", async () => {
  const { client } = rig((path) => {
    switch (path) {
      case "api/get_user_friends2":
        return ok({ friends: [{ uin: 7, categories: 0 }], info: [{ uin: 7, nick: "Bob" }] });
      case "channel/get_online_buddies2":
        return ok([{ uin: 7, status: "busy", client_type: 41 }]);
      default:
        return ok([]);
    }
  });
  client.events.received([
    { poll_type: "buddies_status_change", value: { uin: 7, status: "busy" } },
    { poll_type: "buddylist_change", value: { added_friends: [{ uin: 7, groupid: 0 }] } },
  ]);
  await turn();
  assert.equal(client.roster.friends.get(7).status, "busy");
});

test("a message that is refused was not delivered", async () => {
  const { client } = rig(() => ({ retcode: 112 }));
  const conversation = client.conversations.get("friend", 7);
  await client.sending.send(conversation, text("hello"));
  assert.equal(conversation.messages[0].state, "failed");
  assert.equal(conversation.messages[0].problem, "112");
});

test("a member who is no friend is heard, and answered through the group", async () => {
  const asked = [];
  const { client, names } = rig((path, fields) => {
    asked.push([path, fields]);
    return path === "api/get_friend_info2"
      ? ok({ nick: "Eve" })
      : ok({ type: 0, value: "signature" });
  });
  const content = [["font", {}], "psst "];
  const value = { from_uin: 9, id: 44, service_type: 0, msg_id2: 3, time: 10, content };
  client.events.eventReceived("sess_message", value);
  await turn();
  const [conversation] = client.conversations.recent;
  assert.equal(client.nameOf(conversation), "Eve");
  assert.deepEqual(conversation.messages[0].segments, text("psst"));
  assert.equal(conversation.unread, 1);
  assert.ok(names().includes("messageArrived"));
  await client.sending.send(conversation, text("what?"));
  const [path, { r }] = asked.at(-1);
  assert.equal(path, "channel/send_sess_msg2");
  assert.equal(JSON.parse(r).group_sig, "signature");
  assert.equal(JSON.parse(r).to, 9);
  assert.equal(conversation.messages[1].state, "sent");
});

test("a group that one is removed from is closed, and its name is told", async () => {
  const { client, told } = rig(() => ok({ gnamelist: [], gmarklist: [] }));
  client.roster.setGroups({ gnamelist: [{ gid: 44, code: 45, name: "cats" }] });
  const conversation = client.conversations.get("group", 44);
  conversation.time = 10;
  const value = { from_uin: 44, type: "group_leave", op_type: 3, old_member: 5 };
  client.events.eventReceived("sys_g_msg", value);
  assert.deepEqual(told.at(-1), ["conversationClosed", conversation]);
  await turn();
  const [, notice] = told.find(([name]) => name === "noticed");
  assert.equal(newsText(notice, 5), "You were removed from cats.");
  assert.deepEqual(client.conversations.recent, []);
  // The same event after a departure of one's own says nothing new.
  told.length = 0;
  client.events.eventReceived("sys_g_msg", value);
  await turn();
  assert.equal(told.some(([name]) => name === "noticed"), false);
});

test("somebody who is no friend any more keeps the name", () => {
  const { client } = rig(() => ok());
  const friends = [{ uin: 7, categories: 0 }];
  const info = [{ uin: 7, nick: "Bob" }];
  client.roster.setFriends({ friends, info });
  client.roster.setFriends({ friends: [], info: [] });
  assert.equal(client.nameOf(client.conversations.get("friend", 7)), "Bob");
});

test("a late reply is nothing to the next account", async () => {
  let signedOff;
  const { client } = rig(
    (path, _, signal) =>
      new Promise((resolve, reject) => {
        if (path === "channel/logout2") {
          signedOff = true;
          resolve(ok());
        }
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  client.roster.me = { uin: 5, nick: "Alice", signature: "" };
  client.conversations.get("friend", 7).unread = 1;
  const late = client.lists.fetchFriends();
  await client.session.signOff();
  await assert.rejects(late);
  assert.ok(signedOff);
  assert.equal(client.roster.me.nick, "");
  assert.equal(client.conversations.unread, 0);
});

test("a new session, whose ids are others, leaves no conversation open", async () => {
  const { client, names } = rig(() => ok([]));
  client.conversations.get("friend", 7);
  await client.joined(true);
  assert.equal(names()[0], "conversationsReplaced");
  assert.deepEqual([...client.conversations.all], []);
});

test("requests that wait for an answer are given again at a sign-on", async () => {
  const friend = { type: "verify_required", account: 10002, msg: "hi" };
  const join = { type: "group_request_join", from_uin: 44, request_uin: 8, msg: "" };
  const { client, told } = rig((path) =>
    path === "api/get_requests2"
      ? ok([
          { poll_type: "system_message", value: friend },
          { poll_type: "sys_g_msg", value: join },
        ])
      : ok([]),
  );
  await client.joined(true);
  const noticed = told.filter(([name]) => name === "noticed").map(([, notice]) => notice);
  assert.deepEqual(
    noticed.map(({ value, conversation }) => [value, conversation?.key]),
    [
      [friend, undefined],
      [join, "group:44"],
    ],
  );
});

test("a server that cannot give requests again is none that cannot be used", async () => {
  const { client } = rig((path) =>
    path === "api/get_requests2" ? { retcode: 100000 } : ok([]),
  );
  await client.joined(true);
});

test("a request that needs a captcha fails with one, and takes what was read", async () => {
  const asked = [];
  const { client } = rig((path, fields) => {
    if (path === "getimage") {
      return new Response("a picture", {
        headers: { "Content-Type": "image/png", "X-WebQQ-verifysession": "v" },
      });
    }
    asked.push([path, fields.verifysession, fields.code]);
    return fields.code === "right" ? ok({ tuin: 7 }) : { retcode: fields.code === "" ? 1000 : 1001 };
  });
  const wanted = await client.people.findPerson(10002).catch((error) => error);
  assert.ok(wanted instanceof CaptchaWanted);
  assert.equal(await wanted.picture.text(), "a picture");
  assert.equal(wanted.isWrong, false);
  const wrong = { session: wanted.session, text: "wrong" };
  const again = await client.people.findPerson(10002, wrong).catch((error) => error);
  assert.equal(again.isWrong, true);
  assert.deepEqual(await client.people.findPerson(10002, { session: "v", text: "right" }), {
    tuin: 7,
  });
  assert.deepEqual(asked.at(-1), ["api/search_qq_by_uin2", "v", "right"]);
});

test("two accounts that are blocked at once are both blocked", async () => {
  let blocked = [1];
  const { client } = rig((path, { r }) => {
    if (path === "keycgi/qqweb/newuac/set.do") {
      ({ blocked } = JSON.parse(r).itemlist);
    }
    return ok({ blocked });
  });
  await Promise.all([client.people.setBlocked(2, true), client.people.setBlocked(3, true)]);
  await client.people.setBlocked(1, false);
  assert.deepEqual(blocked, [2, 3]);
});

test("the author of the newest message in a group has a name before the members are known", async () => {
  const { client } = rig((path) => {
    switch (path) {
      case "api/get_group_name_list_mask2":
        return ok({ gnamelist: [{ gid: 44, code: 45, name: "cats" }] });
      case "channel/get_recent_list2":
        return ok([{ type: 1, uin: 45, last: hi(1, 1, 8), nick: "Mia" }]);
      default:
        return ok([]);
    }
  });
  await client.joined(true);
  const [conversation] = client.conversations.recent;
  assert.equal(conversation.key, "group:44");
  assert.equal(client.roster.nameOf(8, client.membersOf(conversation)), "Mia");
});

const hi = (id, time, from = 7) => ({
  msg_id: id,
  msg_id2: id,
  from_uin: from,
  time,
  seq: id,
  content: [["font", {}], `${id} `],
});

/** Answer requests as a server that has messages in one conversation. */
function history(messages, asked = []) {
  return (path, fields) => {
    if (path === "channel/get_history2") {
      const [after, before, count] = ["after", "before", "count"].map((n) => Number(fields[n]));
      asked.push(["history", after, before]);
      const ids = messages.map((each) => each.msg_id2);
      if ([after, before].some((id) => id !== 0 && !ids.includes(id))) {
        return { retcode: 100001 };
      }
      const from = after === 0 ? 0 : ids.indexOf(after) + 1;
      const to = before === 0 ? ids.length : ids.indexOf(before);
      const some = messages.slice(from, to);
      const page = after === 0 ? some.slice(-count) : some.slice(0, count);
      return ok({ messages: page, more: some.length > page.length ? 1 : 0 });
    }
    if (path === "channel/set_read2") {
      const { type, uin, msg_id2: id } = JSON.parse(fields.r);
      asked.push(["read", type, uin, id]);
      return ok("ok");
    }
    if (path === "channel/get_recent_list2") {
      return ok([{ type: 0, uin: 7, unread: 2, last: messages.at(-1) }]);
    }
    return ok([]);
  };
}

const idsOf = ({ messages }) => messages.map(({ id }) => id);
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

test("an opened conversation shows the newest messages, is read, and has older ones", async () => {
  const asked = [];
  const messages = range(1, 70).map((id) => hi(id, id));
  const { client } = rig(history(messages, asked));
  const conversation = client.conversations.get("friend", 7);
  await client.history.open(conversation);
  assert.deepEqual(idsOf(conversation), range(41, 70));
  assert.ok(conversation.hasOlder);
  await turn();
  assert.deepEqual(asked.at(-1), ["read", 0, 7, 70]);
  await client.history.loadOlder(conversation);
  await client.history.loadOlder(conversation);
  assert.deepEqual(idsOf(conversation), range(1, 70));
  assert.equal(conversation.hasOlder, false);
  client.history.markRead(conversation);
  await turn();
  assert.equal(asked.filter(([what]) => what === "read").length, 1);
});

test("messages of the history have their reactions, also those that are known", async () => {
  const reactions = [{ face: "\u2665", uins: [5, 8] }, { face: 14, uins: [8] }];
  const messages = [{ ...hi(1, 1), reactions }, { ...hi(2, 2), reactions: [reactions[1]] }];
  const { client } = rig(history(messages));
  const conversation = client.conversations.get("friend", 7);
  client.events.eventReceived("message", hi(2, 2));
  await client.history.open(conversation);
  assert.deepEqual(
    conversation.messages.map((each) => [...each.reactions].map(([face, uins]) => [face, ...uins])),
    [[["\u2665", 5, 8], ["14", 8]], [["14", 8]]],
  );
});

test("after a new connection what came since is fetched, in pages, once", async () => {
  const messages = range(1, 40).map((id) => hi(id, id));
  const asked = [];
  const { client } = rig(history(messages, asked));
  const conversation = client.conversations.get("friend", 7);
  await client.history.open(conversation);
  messages.push(...range(41, 260).map((id) => hi(id, 41)));
  await client.joined(false);
  await turn();
  assert.deepEqual(idsOf(conversation), range(11, 260));
  const afters = asked.filter(([what, after]) => what === "history" && after !== 0);
  assert.deepEqual(afters.map(([, after]) => after), [40, 140, 240]);
});

test("when the last shown message is gone, the newest are shown without a gap", async () => {
  let messages = range(1, 20).map((id) => hi(id, id));
  const { client } = rig((...request) => history(messages)(...request));
  const conversation = client.conversations.get("friend", 7);
  await client.history.open(conversation);
  messages = range(100, 180).map((id) => hi(id, id));
  await client.history.loadMissed(conversation, 20);
  assert.deepEqual(idsOf(conversation), range(151, 180));
  assert.ok(conversation.hasOlder);
});

test("unread messages are those of the server, and those that came since", async () => {
  const messages = range(1, 3).map((id) => hi(id, id));
  const { client } = rig(history(messages));
  await client.lists.fetchRecent();
  const conversation = client.conversations.get("friend", 7);
  assert.deepEqual(idsOf(conversation), [3]);
  assert.equal(conversation.unread, 2);
  // It waited at the server, and was counted there.
  for (const value of [hi(2, 2), hi(3, 3), hi(4, 4)]) {
    client.events.eventReceived("message", value);
  }
  assert.equal(conversation.unread, 3);
  await client.lists.fetchRecent();
  assert.equal(conversation.unread, 3);
});

test("after a new connection a message in doubt is looked for before later ones", async () => {
  const now = Math.floor(Date.now() / 1000);
  const messages = range(1, 3).map((id) => hi(id, id));
  const answer = history(messages);
  const { client } = rig((path, fields) =>
    path === "channel/send_buddy_msg2" ? "<html>portal</html>" : answer(path, fields),
  );
  const conversation = client.conversations.get("friend", 7);
  await client.history.open(conversation);
  await client.sending.send(conversation, text("4"));
  assert.equal(conversation.messages.at(-1).state, "unknown");
  messages.push(hi(4, now, 5), hi(5, now + 1));
  client.events.eventReceived("message", hi(5, now + 1));
  await client.joined(false);
  await turn();
  assert.deepEqual(idsOf(conversation), range(1, 5));
});

test("a conversation that is not open does not grow without end, nor do pictures", async () => {
  const { client } = rig(() => ok());
  for (let id = 1; id <= 600; id += 1) {
    const value = { from_uin: 7, msg_id2: id, time: id, content: ["hello"] };
    client.eventsReceived([{ poll_type: "message", value }]);
  }
  const conversation = client.conversations.get("friend", 7);
  assert.equal(conversation.messages.length, 500);
  assert.equal(conversation.unread, 600);
  const blob = Promise.resolve(new Blob());
  for (let each = 0; each < 400; each += 1) {
    client.pictures.kept(String(each), () => blob);
    client.pictures.kept("0", () => blob);
  }
  assert.equal(client.pictures.fetched.size, 300);
  assert.equal(client.pictures.fetched.has("0"), true);
  assert.equal(client.pictures.fetched.has("1"), false);
});
