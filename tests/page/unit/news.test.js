import assert from "node:assert/strict";
import { test } from "node:test";

import { isAnswer, isDismissal, newsText, requestText } from "../../../txwebqq/server/page/static/views/news.js";
import { ok, rig, turn } from "./rig.js";

/** A client that is in the group cats after an event, where 7 is known as Mia. */
function signedOn(groups = [{ gid: 44, code: 45, name: "cats" }]) {
  const { client, told } = rig((path, { tuin }) => {
    switch (path) {
      case "api/get_group_name_list_mask2":
        return ok({ gnamelist: groups });
      case "api/get_friend_info2":
        return tuin === "7" ? ok({ nick: "Mia" }) : { retcode: 100001 };
      default:
        return ok([]);
    }
  });
  const notices = () => told.filter(([name]) => name === "noticed").map(([, each]) => each);
  return { client, notices };
}

const group = { from_uin: 44, gcode: 45 };

test("requests tell who asks, and what is written, if anything", async () => {
  const { client, notices } = signedOn();
  const join = { ...group, type: "group_request_join", request_uin: 7, t_request_uin: 10007 };
  const friend = { type: "verify_required", from_uin: 7, account: 10007 };
  client.events.received([
    { poll_type: "sys_g_msg", value: { ...join, msg: "let me in" } },
    { poll_type: "sys_g_msg", value: { ...join, msg: "" } },
    { poll_type: "system_message", value: { ...friend, msg: "it is me" } },
    { poll_type: "system_message", value: { ...friend, from_uin: 9, account: 10009 } },
  ]);
  await turn();
  assert.deepEqual(notices().map(requestText), [
    "Mia (10007) asks to join cats: let me in",
    "Mia (10007) asks to join cats.",
    "Mia (10007) asks to be your friend: it is me",
    "10009 asks to be your friend.",
  ]);
  assert.deepEqual(notices()[0].who, { uin: 7, number: 10007, name: "Mia" });
});

test("news of groups tell whom they are about, in their order", async () => {
  const { client, notices } = signedOn();
  const member = { t_new_member: 10007, t_old_member: 10007, t_uin: 10007, t_new_uin: 10007 };
  const values = [
    { type: "group_request_join_agree" },
    { type: "group_join", new_member: 7 },
    { type: "group_leave", old_member: 7, op_type: 2 },
    { type: "group_leave", old_member: 7, op_type: 3 },
    { type: "group_admin_op", uin: 7, op_type: 1 },
    { type: "group_admin_op", uin: 5, op_type: 0 },
    { type: "group_admin_op", new_uin: 7, op_type: 255 },
    { type: "group_join", new_member: 9, t_new_member: "" },
    { type: "group_create", owner_uin: 5 },
    { type: "group_request_join_deny", msg: "no" },
  ].map((value) => ({ poll_type: "sys_g_msg", value: { ...group, ...member, ...value } }));
  values.push(
    { poll_type: "group_edit", value: { ...group, op_uin: 0, memo: "tea" } },
    { poll_type: "group_edit", value: { ...group, op_uin: 7, name: "dogs" } },
  );
  client.events.received(values);
  await turn();
  await turn();
  assert.deepEqual(
    notices().map((notice) => newsText(notice, 5)),
    [
      "You are a member of cats now.",
      "Mia (10007) has joined cats.",
      "Mia (10007) has left cats.",
      "Mia (10007) was removed from cats.",
      "Mia (10007) is an administrator of cats now.",
      "You are no longer an administrator of cats.",
      "Mia (10007) is the owner of cats now.",
      "A member has joined cats.",
      "",
      "Your request to join cats was refused: no",
      "The operator of the server has changed the announcement of cats.",
      "Mia has changed the name of cats.",
    ],
  );
});

test("administrators are told who has refused a request to join", async () => {
  const { client, notices } = signedOn();
  await client.lists.fetchGroups();
  client.roster.names.set(8, "Lin");
  const answer = { ...group, request_uin: 7, op_uin: 8, op_type: 3 };
  for (const value of [answer, { ...answer, op_type: 2 }, { ...answer, op_uin: 5 }]) {
    client.events.eventReceived("group_request_answered", value);
  }
  await turn();
  assert.deepEqual(
    notices().map((notice) => newsText(notice, 5)),
    ["Lin has refused the request of Mia to join cats.", "", ""],
  );
  assert.deepEqual(notices()[0].who, { uin: 7, number: 0, name: "Mia" });
});

test("news name the administrator who has let a member in, or removed one", async () => {
  const { client, notices } = signedOn();
  await client.lists.fetchGroups();
  client.roster.names.set(8, "Lin");
  for (const value of [
    { type: "group_join", new_member: 7, admin_uin: 8 },
    { type: "group_join", new_member: 5, admin_uin: 8 },
    { type: "group_request_join_agree", admin_uin: 8 },
    { type: "group_leave", old_member: 7, op_type: 3, admin_uin: 8 },
    { type: "group_leave", old_member: 7, op_type: 3, admin_uin: 5 },
  ]) {
    client.events.eventReceived("sys_g_msg", { ...group, ...value });
  }
  await turn();
  await turn();
  assert.deepEqual(
    notices().map((notice) => newsText(notice, 5)),
    [
      "Lin has let Mia into cats.",
      "Lin has let you into cats.",
      "Lin has accepted your request: you are a member of cats now.",
      "Lin has removed Mia from cats.",
      "Mia was removed from cats.",
    ],
  );
  assert.deepEqual(
    notices().map((notice) => isAnswer(notice, 5)),
    [false, true, true, false, false],
  );
});

test("one who is no administrator any more is dismissed", () => {
  const notice = (op_type, uins) => ({ kind: "group_admin_op", value: { op_type, ...uins } });
  assert.ok(isDismissal(notice(0, { uin: 5 }), 5));
  assert.ok(isDismissal(notice(255, { old_uin: 5, new_uin: 7 }), 5));
  assert.ok(!isDismissal(notice(255, { old_uin: 7, new_uin: 5 }), 5));
  assert.ok(!isDismissal(notice(1, { uin: 5 }), 5));
  assert.ok(!isDismissal(notice(0, { uin: 7 }), 5));
});

test("news of a session that has ended are not told in the next one", async () => {
  const { client, notices } = signedOn();
  const value = { ...group, type: "group_join", new_member: 7 };
  client.events.eventReceived("sys_g_msg", value);
  client.session.kept = { ...client.session.kept, psessionid: "q" };
  await turn();
  assert.deepEqual(notices(), []);
});
