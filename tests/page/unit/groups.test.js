import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../../../txwebqq/server/page/static/account/client.js";
import { Server } from "../../../txwebqq/server/page/static/server.js";
import { readMarkup } from "../../../txwebqq/server/page/static/wire.js";

const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
const GROUPS = { gnamelist: [{ gid: 44, code: 55, name: "cats" }] };

/** A client that is signed on as 5, with a group whose owner is 6. */
function rig(details = {}) {
  const asked = [];
  const told = [];
  const view = new Proxy(
    {},
    { get: (_, name) => (...values) => void told.push([name, ...values]) },
  );
  const fetchURL = async (url, { body }) => {
    const path = url.pathname.slice(1);
    const fields = Object.fromEntries(body);
    asked.push([path, fields.r === undefined ? fields : JSON.parse(fields.r)]);
    const result = path === "api/get_group_name_list_mask2" ? GROUPS : {};
    return new Response(JSON.stringify({ retcode: 0, result }));
  };
  const client = new Client(new Server(fetchURL, "http://server/"), storage, view);
  client.session.kept = { number: 5, clientid: "1", psessionid: "p", ack: 0 };
  client.roster.setGroups(GROUPS);
  const members = [5, 6, 7].map((uin) => ({ muin: uin, mflag: 0 }));
  const minfo = members.map(({ muin }) => ({ uin: muin, nick: `n${muin}` }));
  client.roster.setGroupMembers(44, {
    ginfo: { owner: 6, members, memo: "meow" },
    minfo,
    ...details,
  });
  const conversation = client.conversations.get("group", 44);
  return { client, asked, told, conversation, group: client.roster.groups.get(44) };
}

const common = { from_uin: 44, group_code: 55, msg_id2: 3, time: 9 };

function message(id, sender) {
  const segments = [{ type: "text", text: "hi" }];
  return { id, sender, isMine: sender === 5, time: 9, segments, state: "sent" };
}

test("events change the announcement, cards and mutes of a group", () => {
  const { client, group } = rig();
  assert.equal(group.memo, "meow");
  client.events.received([
    { poll_type: "group_edit", value: { ...common, op_uin: 0, memo: "tea" } },
    { poll_type: "group_card", value: { ...common, muin: 7, op_uin: 6, card: "Lin" } },
    { poll_type: "group_mute", value: { ...common, muin: 5, op_uin: 6, seconds: 600 } },
  ]);
  assert.equal(group.memo, "tea");
  assert.equal(client.roster.nameOf(7, group.members), "Lin");
  assert.ok(client.roster.mutedUntil(44, 5) > Date.now() + 590_000);
  assert.equal(client.roster.mutedUntil(44, 7), 0);
  client.events.eventReceived("group_mute", { ...common, muin: 5, seconds: 0 });
  assert.equal(client.roster.mutedUntil(44, 5), 0);
});

test("a mute of all leaves out the owner, and lasts until it is ended", () => {
  const { client } = rig({ mutes: [{ muin: 0, seconds: 2147483647 }] });
  assert.equal(client.roster.mutedUntil(44, 5), Infinity);
  assert.equal(client.roster.mutedUntil(44, 6), 0);
  client.events.eventReceived("group_mute", { ...common, muin: 0, seconds: 0 });
  assert.equal(client.roster.mutedUntil(44, 5), 0);
  client.events.eventReceived("group_mute", { ...common, muin: 0, seconds: 2147483647 });
  assert.equal(client.roster.mutedUntil(44, 5), Infinity);
});

test("a new name is that of the list, where the account's own name goes before", async () => {
  const { client, asked, told } = rig();
  client.events.eventReceived("group_edit", { ...common, name: "dogs" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(asked[0][0], "api/get_group_name_list_mask2");
  assert.ok(told.some(([name]) => name === "listsChanged"));
});

test("reactions of others and of one's own are counted by face", async () => {
  const { client, asked, conversation } = rig();
  const reacted = message(3, 7);
  conversation.add(reacted);
  const value = { ...common, send_uin: 6, reacted_id: 3, face: "♥", op_type: 1 };
  client.events.eventReceived("group_reaction", value);
  await client.groupActions.react(conversation, reacted, "♥");
  assert.deepEqual([...reacted.reactions.get("♥")], [6, 5]);
  await client.groupActions.react(conversation, reacted, "♥");
  client.events.eventReceived("group_reaction", { ...value, op_type: 0 });
  assert.deepEqual([...reacted.reactions.get("♥")], []);
  assert.deepEqual(
    asked.map(([path, { msg_id2, face, op_type }]) => [path, msg_id2, face, op_type]),
    [
      ["channel/set_reaction2", 3, "♥", 1],
      ["channel/set_reaction2", 3, "♥", 0],
    ],
  );
  await client.groupActions.react(conversation, reacted, "14");
  assert.equal(asked.at(-1)[1].face, 14);
});

test("a recalled message is gone, with its reactions", async () => {
  const { client, asked, conversation } = rig();
  const own = message(3, 5);
  conversation.add(own);
  conversation.react(3, 6, "♥", true);
  await client.groupActions.recall(conversation, own);
  assert.equal(own.isRecalled, true);
  assert.equal(own.reactions, undefined);
  assert.equal(asked[0][0], "channel/recall_qun_msg2");
  const friend = client.conversations.get("friend", 7);
  friend.add(message(4, 5));
  await client.groupActions.recall(friend, friend.messages[0]);
  assert.deepEqual([asked[1][0], asked[1][1].to], ["channel/recall_buddy_msg2", 7]);
});

test("a shared link is shown in its group", () => {
  const { client, conversation } = rig();
  const xml = '<d><n t="t" s="look: "/><n t="h" u="http://a.example/?b&amp;c" s="A &lt;3"/></d>';
  client.events.eventReceived("group_web_message", { ...common, send_uin: 7, xml });
  assert.deepEqual(conversation.messages[0].segments, [
    { type: "text", text: "look: " },
    { type: "link", url: "http://a.example/?b&c", text: "A <3" },
  ]);
  assert.deepEqual(readMarkup('<n u="javascript:alert(1)" s="x"/>'), [
    { type: "text", text: "x" },
  ]);
  assert.deepEqual(readMarkup("plain"), [{ type: "text", text: "plain" }]);
  assert.equal(readMarkup("<a>http://b.example/&#x</a>")[0].url.startsWith("http://b."), true);
});

test("each action is one request", async () => {
  const { client, asked, conversation } = rig();
  const actions = client.groupActions;
  await actions.setAnnouncement(conversation, "tea");
  await actions.setCard(conversation, 5, "me");
  await actions.setCard(conversation, 7, "Lin");
  await actions.setAdmin(conversation, 7, false);
  await actions.transfer(conversation, 7);
  await actions.mute(conversation, 7, 600);
  await actions.deleteFile(conversation, "00ff");
  assert.deepEqual(
    asked.map(([path]) => path),
    [
      "api/modify_group_info2",
      "api/update_group_business_card2",
      "api/set_group_card2",
      "api/set_group_admin2",
      "api/transfer_group2",
      "api/mute_group_member2",
      "channel/delete_group_file2",
    ],
  );
  assert.equal(asked[0][1].gcode, 55);
  assert.deepEqual([asked[2][1].muin, asked[2][1].card], [7, "Lin"]);
  assert.equal(asked[3][1].op_type, 0);
});
