// Which rooms an address asks for. `node --test <this file>`

import assert from "node:assert/strict";
import { test } from "node:test";

import { ROOMS_MAX, readAddress, readRoom, writeAddress } from "../../../../gateway/static/address.js";

const platforms = ["tiktok", "douyin"];
const rooms = (search) => readAddress(search, platforms).rooms.map(({ key }) => key);

test("rooms of both platforms, in order and once", () => {
  assert.deepEqual(rooms("?room=@demo&room=douyin/728804746624&room=%20@demo%20&room="), ["tiktok/@demo", "douyin/728804746624"]);
  assert.deepEqual(rooms(""), []);
});

test("a platform beside the rooms is that of those that name none", () => {
  assert.deepEqual(rooms("?platform=douyin&room=728804746624&room=tiktok/@demo"), ["douyin/728804746624", "tiktok/@demo"]);
  assert.deepEqual(rooms("?platform=elsewhere&room=@demo"), ["tiktok/@demo"]);
});

test("a link says by its host where it leads", () => {
  const platformOf = (text) => readRoom(text, platforms, "tiktok").platform;
  assert.equal(platformOf("https://live.douyin.com/728804746624"), "douyin");
  assert.equal(platformOf("come and see https://V.DOUYIN.com/iRNBho6u/ now"), "douyin");
  assert.equal(platformOf("https://www.tiktok.com/@douyin/live"), "tiktok");
  assert.equal(readRoom("https://www.tiktok.com/@demo/live", platforms, "douyin").platform, "tiktok");
  assert.equal(platformOf("@douyin"), "tiktok");
});

test("what is written is read again", () => {
  const search = "?overlay=chat&room=@demo&room=douyin/https://live.douyin.com/7?a%3D1%26b&hide=join,notice&lang=zh";
  const address = readAddress(search, platforms, ["join", "notice"]);
  assert.deepEqual(address.hidden, ["join", "notice"]);
  assert.deepEqual([address.overlay, address.language], ["chat", "zh"]);
  assert.equal(address.rooms[1].room, "https://live.douyin.com/7?a=1&b");
  const written = writeAddress(address, platforms);
  assert.match(written, /[?]overlay=chat&room=@demo&room=douyin\/https:/);
  assert.deepEqual(readAddress(written, platforms, ["join", "notice"]), address);
});

test("what no page has is left out, and there is an end of rooms", () => {
  const address = readAddress("?overlay=constructor&hide=chat,nothing&room=a", platforms, ["chat"]);
  assert.deepEqual([address.overlay, address.hidden], ["", ["chat"]]);
  const many = `?${Array.from({ length: 50 }, (_, index) => `room=${index}`).join("&")}`;
  assert.equal(rooms(many).length, ROOMS_MAX);
});
