import assert from "node:assert/strict";
import { test } from "node:test";

import { linked } from "../../../txwebqq/server/page/static/links.js";

/** The addresses in a text; the parts together are the text. */
function addresses(text) {
  const parts = linked(text);
  assert.equal(parts.map((each) => each.text).join(""), text);
  return parts.filter(({ type }) => type === "link").map(({ url }) => url);
}

test("the punctuation of a sentence is no part of an address", () => {
  for (const [text, ...found] of [
    ["see https://a.example/x?y=1&z=%20#t.", "https://a.example/x?y=1&z=%20#t"],
    ["(http://a.example/b(c)), or http://[::1]:80/!?", "http://a.example/b(c)", "http://[::1]:80/"],
    ["看https://a.example/x，还有（http://b.example）。", "https://a.example/x", "http://b.example"],
    ["《https://a.example/猫》", "https://a.example/"],
    ["HTTPS://A.EXAMPLE\nhttp://b.example/'x'", "HTTPS://A.EXAMPLE", "http://b.example/"],
    ["https://a.example/...", "https://a.example/"],
  ]) {
    assert.deepEqual(addresses(text), found);
  }
});

test("nothing else is an address", () => {
  for (const text of [
    "javascript:alert(1)",
    "javascript://a.example/%0aalert(1)",
    "data:text/html,<b>",
    "https://",
    "http://:80",
    "xhttp://a.example",
    "www.a.example",
    "",
  ]) {
    assert.deepEqual(addresses(text), []);
  }
});

test("long texts do not take long", () => {
  assert.equal(addresses("http://".repeat(2000)).length, 1);
  assert.equal(addresses(`http://a.example/${")".repeat(15000)}`).length, 1);
});
