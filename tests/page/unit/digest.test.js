import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import {
  loginDigest,
  md5,
  passwordHash,
} from "../../../txwebqq/server/page/static/digest.js";

test("md5 is that of node, at all lengths around its blocks", () => {
  for (let length = 0; length < 200; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
    const expected = createHash("md5").update(bytes).digest("hex");
    assert.equal(Buffer.from(md5(bytes)).toString("hex"), expected);
  }
});

// docs/protocol.md 3.3.
for (const [password, number, code, expected] of [
  ["1234567890", 2798579710, "!B55", "5AE2E1380BFBF5135AD578DFA1FD3EE9"],
  ["webqq-2013", 300100200, "!K7Q", "0CE222F5AA3D8D56A83AB1BADB577652"],
  ["webqq-2013", 300100200, "hxWd", "4478EAD60FDFF7B0CA9230C94AA70977"],
]) {
  test(`the digest of ${number} with ${code}`, () => {
    const salt = new Uint8Array(8);
    new DataView(salt.buffer).setBigUint64(0, BigInt(number));
    assert.equal(loginDigest(passwordHash(password), salt, code), expected);
  });
}
