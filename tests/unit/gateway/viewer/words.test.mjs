// The page's words. `node --test <this file>`

import assert from "node:assert/strict";
import { test } from "node:test";

import { pickLanguage, wordsIn } from "../../../../gateway/static/words.js";

test("the reader's first language that is spoken here is used", () => {
  assert.equal(pickLanguage(["fr-FR", "zh-TW", "en"]), "zh");
  assert.equal(pickLanguage(["en-GB", "zh"]), "en");
  assert.equal(pickLanguage(["fr"]), "en");
});

test("both languages have the same words", () => {
  const shape = (value) => (typeof value === "object" ? Object.entries(value).map(([key, inner]) => [key, shape(inner)]).sort() : typeof value);
  assert.deepEqual(shape(wordsIn("zh")), shape(wordsIn("en")));
});
