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
