import assert from "node:assert/strict";
import { test } from "node:test";

import { shortened } from "../../../txwebqq/server/page/static/dom.js";

test("a shortened text has no half of a character", () => {
  const family = "👨‍👩‍👧";
  assert.equal(shortened(`a${family}b`, 2), `a${family}`);
  assert.equal(shortened(`a${family}b`, 3), `a${family}b`);
  assert.equal(shortened("😀".repeat(90), 80), "😀".repeat(80));
  assert.equal(shortened("", 80), "");
});
