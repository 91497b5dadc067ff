import assert from "node:assert/strict";
import { test } from "node:test";

import { Roster } from "../../../txwebqq/server/page/static/account/roster.js";
import {
  isBlank,
  segmentsOf,
} from "../../../txwebqq/server/page/static/views/composer/composer.js";
import {
  matching,
  queryBefore,
} from "../../../txwebqq/server/page/static/views/composer/mentionlist.js";

test("a text of characters that are not seen is none", () => {
  assert.ok(isBlank(" \n\u3000") && isBlank("\u200b \u2060\u3164"));
  assert.ok(!isBlank("a") && !isBlank("\u{1f642}"));
});

test("a mention is no part of a longer name", () => {
  const text = "@Alice and @Al, @小明你好";
  const mentions = [
    { name: "Al", number: 7 },
    { name: "小明", number: 8 },
  ];
  assert.deepEqual(segmentsOf(text, mentions), [
    { type: "text", text: "@Alice and " },
    { type: "mention", number: 7, name: "Al" },
    { type: "text", text: ", " },
    { type: "mention", number: 8, name: "小明" },
    { type: "text", text: "你好" },
  ]);
});

test("a name like an emoticon is a name", () => {
  assert.deepEqual(segmentsOf("@[Smile] [Smile]", [{ name: "[Smile]", number: 7 }]), [
    { type: "mention", number: 7, name: "[Smile]" },
    { type: "text", text: " " },
    { type: "face", id: 14 },
  ]);
});

test("the begin of a name is between an @ and the cursor", () => {
  for (const [text, expected] of [
    ["@", { start: 0, query: "" }],
    ["hi @al", { start: 3, query: "al" }],
    ["你好@小", { start: 2, query: "小" }],
    ["@a @b", { start: 3, query: "b" }],
    ["@Friend 20", { start: 0, query: "Friend 20" }],
    ["", null],
    ["al", null],
    ["alice@example", null],
    ["@ al", null],
    ["@al ", null],
    ["@al\nb", null],
    [`@${"a".repeat(33)}`, null],
  ]) {
    assert.deepEqual(queryBefore(text, text.length), expected, text);
  }
  assert.deepEqual(queryBefore("@alice", 3), { start: 0, query: "al" });
  assert.equal(queryBefore("@alice", 0), null);
});

/** The members of a group, of whom 3 is a friend with a name of the account's own. */
function people() {
  const roster = new Roster();
  const friend = { uin: 3, nick: "Bob", markname: "Boss", category: 0, status: "online" };
  roster.friends.set(3, friend);
  const members = new Map(
    [
      [1, "Alice", ""],
      [2, "Lin", "Ali Baba"],
      [3, "Bob", ""],
      [4, "Natalie", ""],
    ].map(([uin, nick, card]) => [
      uin,
      { uin, nick, card, role: "member", isOnline: true },
    ]),
  );
  return { roster, members };
}

test("members are found by card, nick and own name, those that begin so first", () => {
  const { roster, members } = people();
  const found = (query) => matching(members, roster, query).map(({ uin }) => uin);
  assert.deepEqual(found("ali"), [1, 2, 4]);
  assert.deepEqual(found("LIN"), [2]);
  assert.deepEqual(found("ali b"), [2]);
  assert.deepEqual(found("e b"), []);
  assert.deepEqual(found("boss"), [3]);
  assert.deepEqual(found("").length, 4);
  assert.deepEqual(found("zzz"), []);
});

test("a mention has a name that all members see", () => {
  const { roster, members } = people();
  assert.deepEqual(matching(members, roster, "bos"), [
    { uin: 3, name: "Bob", more: "Boss" },
  ]);
  assert.deepEqual(matching(members, roster, "ali b"), [
    { uin: 2, name: "Ali Baba", more: "Lin" },
  ]);
});
