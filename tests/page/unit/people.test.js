import assert from "node:assert/strict";
import { test } from "node:test";

import { ok, rig } from "./rig.js";

test("blocked accounts are known, friends or not, until they are unblocked", async () => {
  let blocked = [10002, 10003];
  const { client, names } = rig((path, { r }) => {
    switch (path) {
      case "api/get_blocked2":
        return ok(blocked.map((account) => ({ account, uin: account - 10000, nick: "Eve" })));
      case "keycgi/qqweb/newuac/get.do":
        return ok({ blocked });
      case "keycgi/qqweb/newuac/set.do":
        ({ blocked } = JSON.parse(r).itemlist);
        return ok();
      default:
        return ok([]);
    }
  });
  await client.lists.fetchAll();
  const { people, roster } = client;
  assert.deepEqual([...roster.blocked.keys()], [2, 3]);
  assert.deepEqual(roster.blocked.get(3), { number: 10003, nick: "Eve" });
  const before = names().length;
  await people.setBlocked(10003, false);
  assert.deepEqual([...roster.blocked.keys()], [2]);
  assert.deepEqual(names().slice(before), ["listsChanged"]);
});

test("a friend who has another nick or avatar is shown with it", async () => {
  const { client, names } = rig(() => ok([]));
  client.roster.setFriends({ friends: [{ uin: 7 }], info: [{ uin: 7, nick: "Lin" }] });
  client.pictures.fetched.set("avatar:false:7", Promise.resolve(new Blob()));
  client.events.eventReceived("friend_edit", { uin: 7, nick: "Lina" });
  assert.equal(client.roster.nameOf(7), "Lina");
  assert.equal(client.roster.friends.get(7).edits, 1);
  assert.equal(client.pictures.fetched.size, 0);
  assert.deepEqual(names(), ["listsChanged"]);
});
