import assert from "node:assert/strict";
import { test } from "node:test";

import { ok, rig, tab } from "./rig.js";

/**
 * Answer as a server at which the friend 10002 and the group 200001 have the ids that are
 * given, or are gone.
 */
function server({ uin = 0, gid = 0, asked = [] }) {
  return (path, fields) => {
    asked.push(path);
    switch (path) {
      case "api/get_friend_uin2":
        return ok({ account: fields.type === "4" ? 200001 : 10002 });
      case "api/search_qq_by_uin2":
        return ok({ tuin: uin || 999 });
      case "keycgi/qqweb/group/search.do":
        return ok([{ GE: 200001, GEX: gid + 1, TI: "cats" }]);
      case "api/get_user_friends2":
        return ok({ friends: uin === 0 ? [] : [{ uin, categories: 0 }] });
      case "api/get_group_name_list_mask2":
        return ok({ gnamelist: gid === 0 ? [] : [{ gid, code: gid + 1, name: "cats" }] });
      case "api/get_requests2":
      case "channel/get_recent_list2":
        return ok([]);
      default:
        return ok();
    }
  };
}

/** A client whose session has just begun. */
async function signedOn(storage, answers, number = 5) {
  const { client } = rig(server(answers), storage, number);
  await client.joined(true);
  client.stateChanged("online", "");
  return client;
}

/** A storage of a tab in which a conversation is open. */
async function opened(kind) {
  const storage = tab();
  const client = await signedOn(storage, { uin: 7, gid: 30 });
  const conversation = client.conversations.get(kind, kind === "group" ? 30 : 7);
  client.lastOpen.opened(conversation);
  await client.history.fetchNumber(conversation);
  return { storage, client };
}

for (const [kind, now, key] of [
  ["friend", { uin: 77 }, "friend:77"],
  ["group", { gid: 40 }, "group:40"],
]) {
  test(`the ${kind} that was open is found, without a search if its id is the same`, async () => {
    const { storage } = await opened(kind);
    const asked = [];
    const reloaded = await signedOn(storage, { uin: 7, gid: 30, asked });
    assert.equal((await reloaded.lastOpen.find()).key, kind === "group" ? "group:30" : "friend:7");
    assert.equal(asked.some((path) => path.includes("search")), false);
    const later = await signedOn(storage, now);
    assert.equal((await later.lastOpen.find()).key, key);
  });
}

test("nothing is found of a conversation that is gone, of another account or signed off", async () => {
  for (const kind of ["friend", "group"]) {
    const { storage } = await opened(kind);
    const gone = await signedOn(storage, {});
    assert.equal(await gone.lastOpen.find(), null);
    // It does not come back by itself.
    const back = await signedOn(storage, { uin: 7, gid: 30 });
    assert.equal(await back.lastOpen.find(), null);
  }
  const { storage, client } = await opened("friend");
  const other = await signedOn(storage, { uin: 7 }, 6);
  assert.equal(await other.lastOpen.find(), null);
  client.lastOpen.opened(client.conversations.get("friend", 7));
  await client.session.signOff();
  assert.equal(storage.values.size, 0);
});

test("a conversation that is closed or replaced meanwhile is not found", async () => {
  for (const change of [
    (client) => client.lastOpen.opened(null),
    (client) => client.conversations.clear(),
  ]) {
    const { client } = await opened("friend");
    const finding = client.lastOpen.find();
    change(client);
    assert.equal(await finding, null);
  }
});
