// The points of a plot. `node --test <this file>`

import assert from "node:assert/strict";
import { test } from "node:test";

import { POINTS_MAX, Series, around } from "../../../../gateway/static/series.js";

test("the last minutes are kept, a point a second", () => {
  const series = new Series();
  for (let second = 1; second <= POINTS_MAX + 10; second += 1) series.push(second * 1000, second, 1);
  assert.equal(series.times.length, POINTS_MAX);
  assert.deepEqual([series.times[0], series.viewers[0]], [11, 11]);
  assert.deepEqual(series.span, [11, POINTS_MAX + 10]);
});

test("time does not go back when a clock is put right", () => {
  const series = new Series();
  series.push(5000, 1, 1);
  series.push(4000, 2, 2);
  assert.deepEqual(series.times, [5]);
});

test("a room that was just joined is not stretched over the whole plot", () => {
  const series = new Series();
  series.push(100_000, null, 0);
  series.push(101_000, 7, 1);
  assert.deepEqual(series.span, [41, 101]);
});

test("limits are around the values, never below zero, and there are some without values", () => {
  assert.deepEqual(around(null, null), [0, 1]);
  const [low, high] = around(1800, 1850);
  assert.ok(low < 1800 && low > 1700 && high > 1850 && high < 1900);
  assert.deepEqual(around(0, 0), [0, 1]);
});
