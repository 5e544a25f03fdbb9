// The JavaScript client in `example/`: what it asks for, what it keeps, when it comes back. Run by test_js_client.py.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Roomcast, pauseMs } from "../../../example/javascript/roomcast.js";

const NAME = { platform: "tiktok", room: "@demo" };
const ROOM = { platform: "tiktok", room: "73" };
const event = (cursor, fields = {}) => ({ type: "chat", ...ROOM, id: "1", cursor, time: 1, ...fields });

/** The gateway's end of each socket that a client opens. */
class FakeSocket {
  static opened = [];
  readyState = 0;
  said = [];
  closedWith = null;

  constructor(url) {
    this.url = url;
    FakeSocket.opened.push(this);
  }

  static get last() {
    return FakeSocket.opened.at(-1);
  }

  open() {
    this.readyState = 1;
    this.onopen?.();
  }

  tell(...frames) {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  drop(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  send(text) {
    this.said.push(JSON.parse(text));
  }

  close(code) {
    this.readyState = 2;
    this.closedWith = code;
  }
}

/** A test with clocks and chance in hand; what the listener is told is in `told`. */
function scenario(name, run) {
  test(name, () => {
    FakeSocket.opened = [];
    mock.timers.enable();
    mock.method(Math, "random", () => 0);
    const told = [];
    const listener = {
      event: (event) => told.push(event.cursor),
      state: ({ name, againMs }) => told.push(againMs === undefined ? name : [name, againMs]),
      over: ({ code, text }) => told.push({ code, text }),
    };
    try {
      run({ client: new Roomcast("http://gateway:8000/", { WebSocket: FakeSocket }), listener, told });
    } finally {
      mock.timers.reset();
      mock.restoreAll();
    }
  });
}

/** The gateway takes the room on and looks its name up. */
function takeOn(socket, id = 1) {
  socket.tell({ type: "subscribed", id, ...NAME }, { type: "target", ...NAME, target: "73" });
}

/** A room that runs. */
function begin({ client, listener }, options) {
  const room = client.join("tiktok:@demo", listener, options);
  FakeSocket.last.open();
  takeOn(FakeSocket.last);
  return room;
}

scenario("a room is asked for with its options, and then behind its last event", (the) => {
  begin(the, { events: ["chat"], last: 20 });
  const asked = { action: "subscribe", id: 1, ...NAME, events: ["chat"] };
  assert.equal(FakeSocket.last.url, "ws://gateway:8000/ws?lang=en");
  assert.deepEqual(FakeSocket.last.said, [{ ...asked, last: 20 }]);
  FakeSocket.last.tell(event("5-1"));
  FakeSocket.last.drop(1006);
  mock.timers.tick(500);
  FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.said, [{ ...asked, since: "5-1" }]);
});

scenario("a platform stands before a room, or is left out", ({ client, listener }) => {
  const link = "https://live.douyin.com/728";
  for (const asked of ["douyin:728", "@demo", link, `douyin:${link}`]) client.join(asked, listener);
  FakeSocket.last.open();
  assert.deepEqual(
    FakeSocket.last.said.map(({ platform, room }) => [platform, room]),
    [["douyin", "728"], [undefined, "@demo"], [undefined, link], ["douyin", link]],
  );
});

const recovered = { type: "recovered", ...ROOM, recovered: true, since: "5-1", cursor: "5-4" };
for (const [frame, kept] of [
  [{ type: "pong", timestamp: 1, cursors: { "tiktok:73": "5-9", "tiktok:74": "6-1" } }, "5-9"],
  [{ ...recovered, count: 3 }, "5-1"],
  [{ ...recovered, count: 0 }, "5-4"],
  [{ type: "gap", ...ROOM, cursor: "6-2", after: "5-1", before: "6-2", reason: "upstream" }, "6-2"],
  [{ type: "gap", ...ROOM, after: "5-1", before: "6-2", reason: "trimmed" }, "5-1"],
  [{ status: "connected", message: "", ...ROOM, cursor: "5-7" }, "5-1"],
  [{ status: "closing", code: "draining", reconnect: true, cursors: { "tiktok:73": "5-8" } }, "5-1"],
  [{ error: "", code: "bad_cursor", reconnect: false, id: 1, ...ROOM }, undefined],
  [{ type: "target", ...NAME, target: "73" }, "5-1"],
  [{ type: "target", ...NAME, target: "74" }, undefined],
]) {
  scenario(`its place is where it has been told everything: ${JSON.stringify(frame)}`, (the) => {
    const room = begin(the);
    FakeSocket.last.tell(event("5-1"), frame);
    assert.equal(room.cursor, kept);
  });
}

scenario("who begins with what comes next has a place before the first event", (the) => {
  const room = begin(the);
  FakeSocket.last.tell({ status: "connected", message: "", cursor: "5-7", ...ROOM });
  assert.equal(room.cursor, "5-7");
});

scenario("a place from an earlier run outlives the look-up of the name", (the) => {
  assert.equal(begin(the, { since: "5-1" }).cursor, "5-1");
});

scenario("types and fields of the future are handed out", (the) => {
  begin(the);
  FakeSocket.last.tell(event("5-1", { type: "hologram", hologram: {} }), { type: "weather" }, { type: "weather", ...ROOM });
  assert.deepEqual(the.told, ["subscribed", "target", "5-1", "weather"]);
});

for (const [frame, isOver] of [
  [{ status: "closing", message: "m", code: "ended", reconnect: false, ...ROOM }, true],
  [{ error: "m", code: "offline", reconnect: false, ...NAME }, true],
  [{ error: "m", code: "too_many_rooms", reconnect: false, id: 1 }, true],
  [{ error: "m", code: "bad_option", reconnect: false, id: 1, ...NAME }, false],
  [{ error: "m", code: "unavailable", reconnect: true, ...ROOM }, false],
]) {
  scenario(`only what asking again cannot change is the end of a room: ${frame.code}`, (the) => {
    const room = begin(the);
    const other = the.client.join("tiktok:74", the.listener);
    FakeSocket.last.tell(frame);
    assert.deepEqual(the.told.at(-1), isOver ? { code: frame.code, text: "m" } : frame.code);
    assert.deepEqual(the.client.rooms, isOver ? [other] : [room, other]);
  });
}

scenario("a room that the gateway failed is asked for again, more slowly each time", (the) => {
  begin(the);
  const socket = FakeSocket.last;
  for (const pause of [500, 1000, 2000]) {
    socket.tell({ error: "", code: "internal", reconnect: true, ...ROOM });
    assert.deepEqual(the.told.at(-1), ["internal", pause]);
    socket.tell(event("5-1")); // a straggler of the old subscription
    assert.deepEqual(the.told.at(-1), ["internal", pause]);
    const before = socket.said.length;
    mock.timers.tick(pause - 1);
    assert.equal(socket.said.length, before);
    mock.timers.tick(1);
    assert.equal(socket.said.length, before + 1);
    takeOn(socket);
  }
});

scenario("a room that is too long is refused before it is one", ({ client, listener }) => {
  for (const asked of ["x".repeat(513), `douyin:${"🦊".repeat(513)}`]) {
    assert.throws(() => client.join(asked, listener), RangeError);
  }
  assert.deepEqual([client.rooms, FakeSocket.opened.length], [[], 0]);
  client.join(`douyin:${"🦊".repeat(512)}`, listener);
  assert.equal(client.rooms.length, 1);
});

for (const how of ["over", "left"]) {
  scenario(`with the last room the connection ends, until there is another one: ${how}`, (the) => {
    const room = begin(the);
    const socket = FakeSocket.last;
    if (how === "over") socket.tell({ error: "", code: "offline", reconnect: false, ...NAME });
    else the.client.leave(room);
    assert.deepEqual(socket.said.at(-1), { action: "close" });
    assert.equal(socket.closedWith, 1000);
    const said = socket.said.length;
    socket.drop(1012);
    mock.timers.tick(120_000);
    assert.deepEqual([FakeSocket.opened.length, socket.said.length], [1, said]);
    the.client.join("tiktok:74", the.listener);
    FakeSocket.last.open();
    assert.deepEqual(FakeSocket.last.said.map(({ room }) => room), ["74"]);
  });
}

scenario("a room left while the connection is away is waited for no more", (the) => {
  const room = begin(the);
  FakeSocket.last.drop(1006);
  the.client.leave(room);
  mock.timers.tick(120_000);
  assert.equal(FakeSocket.opened.length, 1);
});

scenario("who joins another room when the last one is over stays connected", ({ client, listener }) => {
  client.join("tiktok:@demo", { over: () => client.join("tiktok:74", listener) });
  FakeSocket.last.open();
  takeOn(FakeSocket.last);
  FakeSocket.last.tell({ error: "", code: "offline", reconnect: false, ...NAME });
  assert.deepEqual([FakeSocket.last.said.at(-1).room, FakeSocket.last.closedWith], ["74", null]);
});

scenario("nothing is told of a room that was left", (the) => {
  const room = begin(the);
  the.client.join("tiktok:74", the.listener);
  the.told.length = 0;
  the.client.leave(room);
  assert.deepEqual(FakeSocket.last.said.at(-1), { action: "unsubscribe", id: 1, ...NAME });
  FakeSocket.last.tell(event("5-1"), { type: "unsubscribed", id: 1, ...NAME });
  assert.deepEqual(the.told, []);
});

for (const [code, last, pause] of [
  [1012, { status: "closing", code: "draining", reconnect: true, retry_in_ms: 250 }, 250],
  [1013, { error: "", code: "overloaded", reconnect: true }, 500],
  [1009, { error: "e", code: "too_large", reconnect: false }, null],
  [1000, { type: "pong", timestamp: 1 }, null],
  [1006, { error: "", code: "too_large", reconnect: false }, 500],
  [1001, { error: "", code: "bad_option", reconnect: false }, 500],
  [1001, { error: "", code: "offline", reconnect: false, platform: "tiktok", room: "99" }, 500],
]) {
  scenario(`whether and when to come back is the gateway's word: ${code} ${last.code}`, (the) => {
    begin(the);
    FakeSocket.last.tell(last);
    FakeSocket.last.drop(code);
    if (pause === null) {
      assert.deepEqual(the.told.at(-1), { code: last.code ?? "closed", text: last.error ?? "" });
      assert.deepEqual(the.client.rooms, []);
      mock.timers.tick(60_000);
      assert.equal(FakeSocket.opened.length, 1);
      return;
    }
    assert.deepEqual(the.told.at(-1), ["lost", pause]);
    mock.timers.tick(pause - 1);
    assert.equal(FakeSocket.opened.length, 1);
    mock.timers.tick(1);
    assert.equal(FakeSocket.opened.length, 2);
  });
}

for (const signOfLife of [event("5-1"), { type: "pong", timestamp: 1 }]) {
  scenario(`who is sent away again and again goes slow, until a link lasts: ${signOfLife.type}`, (the) => {
    begin(the);
    const pauses = [];
    const sendAway = () => {
      FakeSocket.last.tell({ status: "closing", code: "draining", reconnect: true, retry_in_ms: 0 });
      FakeSocket.last.drop(1012);
      pauses.push(the.told.at(-1)[1]);
      mock.timers.tick(pauses.at(-1));
      FakeSocket.last.open();
    };
    for (let n = 0; n < 8; n += 1) sendAway();
    assert.deepEqual(pauses, [0, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    takeOn(FakeSocket.last);
    FakeSocket.last.tell(signOfLife);
    sendAway();
    assert.equal(pauses.at(-1), 0);
  });
}

test("pauses have a cap and jitter", () => {
  assert.deepEqual([0, 0.5, 1].map((jitter) => pauseMs(2000, undefined, jitter)), [15000, 22500, 30000]);
  assert.equal(pauseMs(3, 60_000, 0), 60_000);
});

scenario("a link that brings nothing after a ping is left for a new one", (the) => {
  begin(the);
  const socket = FakeSocket.last;
  for (let n = 1; n <= 3; n += 1) {
    mock.timers.tick(20_000);
    assert.deepEqual(socket.said.at(-1), { type: "ping" });
    assert.equal(socket.said.length, 1 + n);
    socket.tell({ type: "pong", timestamp: 1 });
  }
  mock.timers.tick(40_000);
  assert.deepEqual(the.told.at(-1), ["lost", 500]);
  assert.equal(socket.closedWith, 1000);
  socket.tell(event("5-9")); // too late: the next socket brings it
  assert.deepEqual(the.told.at(-1), ["lost", 500]);
  mock.timers.tick(500);
  assert.equal(FakeSocket.opened.length, 2);
});

scenario("a door that nobody opens, and says so by an error alone, is tried again", (the) => {
  the.client.join("tiktok:@demo", the.listener);
  FakeSocket.last.onerror();
  assert.deepEqual(the.told, [["lost", 500]]);
  the.client.hurry(); // the network is there again
  assert.equal(FakeSocket.opened.length, 2);
  mock.timers.tick(500);
  assert.equal(FakeSocket.opened.length, 2);
});

scenario("closing says so, and nothing comes or is tried after it", (the) => {
  begin(the);
  the.told.length = 0;
  const socket = FakeSocket.last;
  the.client.close();
  assert.deepEqual(socket.said.at(-1), { action: "close" });
  assert.equal(socket.closedWith, 1000);
  socket.tell(event("5-1"));
  socket.drop(1000);
  mock.timers.tick(120_000);
  assert.deepEqual([the.told, the.client.rooms, FakeSocket.opened.length], [[], [], 1]);
});

scenario("a room joined while the connection is away is asked for with the others", (the) => {
  begin(the);
  FakeSocket.last.drop(1006);
  the.client.join("tiktok:74", the.listener);
  mock.timers.tick(500);
  FakeSocket.last.open();
  assert.deepEqual(FakeSocket.last.said.map(({ room }) => room), ["@demo", "74"]);
  the.client.join("tiktok:75", the.listener);
  assert.deepEqual(FakeSocket.last.said.at(-1), { action: "subscribe", id: 3, platform: "tiktok", room: "75" });
});
