// When a connection comes back, and what it asks for then. `node --test <this file>`

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { Connection, planReturn } from "../../../../gateway/static/connection.js";

describe("planReturn", () => {
  test("the server's word decides", () => {
    assert.equal(planReturn(1000, {}, 0, 0), null);
    assert.equal(planReturn(1009, { reconnect: false }, 0, 0), null);
    assert.equal(planReturn(1012, { reconnect: true, retry_in_ms: 0 }, 5, 0), 0);
    assert.equal(planReturn(1013, { reconnect: true, retry_in_ms: 7000 }, 0, 0.9), 7000);
  });

  test("a cut link is no word, even right after an ignored option", () => {
    assert.notEqual(planReturn(1006, { error: "x", code: "bad_option", reconnect: false }, 0, 0), null);
  });

  test("pauses grow, are spread, and have an end", () => {
    assert.equal(planReturn(1006, {}, 0, 0), 500);
    assert.equal(planReturn(1006, {}, 2, 0), 2000);
    assert.ok(planReturn(1006, {}, 2, 0.99) > 3900);
    assert.equal(planReturn(1006, {}, 50, 0), 15_000);
  });
});

class FakeSocket {
  static opened = [];
  readyState = 0;
  sent = [];
  closed = false;
  constructor(url) { this.url = new URL(url); FakeSocket.opened.push(this); }
  open() { this.readyState = 1; this.onopen(); }
  send(text) { this.sent.push(JSON.parse(text)); }
  close() { this.closed = true; }
  tell(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
  /** The gateway's answer to a subscription, and where the name points to. */
  answer(id, room, target) {
    this.tell({ type: "subscribed", id, platform: "tiktok", room });
    if (target) this.tell({ type: "target", platform: "tiktok", room, target });
  }
  get commands() { return this.sent.filter(({ action }) => action); }
}

describe("Connection", () => {
  const newest = () => FakeSocket.opened.at(-1);
  const chat = (room, fields = {}) => ({ type: "chat", platform: "tiktok", room, id: "7301", ...fields });
  const demo = { platform: "tiktok", room: "@demo", last: 50 };
  const quiet = { platform: "tiktok", room: "@quiet", last: 50 };
  let heard;
  let states;
  let connection;

  /** Joins a room; what it hears is noted as [room, what]. */
  const join = (asked) => connection.join(asked, {
    frame: (frame) => heard.push([asked.room, frame]),
    lost: () => heard.push([asked.room, "lost"]),
    over: () => heard.push([asked.room, "over"]),
  });
  const of = (room) => heard.filter(([name]) => name === room).map(([, what]) => what);

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
    FakeSocket.opened = [];
    heard = [];
    states = [];
    connection = new Connection(new URL("ws://gateway/ws?lang=en"), (state) => states.push(state), FakeSocket);
  });
  afterEach(() => {
    connection.stop();
    mock.timers.reset();
  });

  test("all rooms are on one socket, also those joined later", () => {
    join(demo);
    newest().open();
    join({ platform: "douyin", room: "728", events: "gift", last: 0 });
    assert.equal(FakeSocket.opened.length, 1);
    assert.deepEqual(newest().commands, [
      { action: "subscribe", id: 1, platform: "tiktok", room: "@demo", wait: true, last: 50 },
      { action: "subscribe", id: 2, platform: "douyin", room: "728", wait: true, events: "gift" },
    ]);
  });

  test("each room hears its own frames, under the name it was asked for and the one it points to", () => {
    join(demo);
    join(quiet);
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().answer(2, "@quiet", "74");
    const status = { status: "connecting", step: 1, platform: "tiktok", room: "@demo" };
    for (const frame of [status, chat("73"), chat("74"), chat("99"), { type: "pong", timestamp: 0 }]) newest().tell(frame);
    assert.deepEqual(of("@demo"), [status, chat("73")]);
    assert.deepEqual(of("@quiet"), [chat("74")]);
  });

  test("after a loss each room goes on where it stopped", () => {
    join(demo);
    join(quiet);
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().answer(2, "@quiet", "74");
    newest().tell(chat("73", { cursor: "1-2" }));
    newest().tell({ type: "pong", timestamp: 1, cursors: { "tiktok:74": "5-9" } });
    newest().onclose({ code: 1006 });
    assert.deepEqual([of("@demo").at(-1), of("@quiet").at(-1)], ["lost", "lost"]);
    mock.timers.tick(1000);
    newest().open();
    assert.deepEqual(newest().commands.map(({ room, since, last }) => [room, since, last]), [
      ["@demo", "1-2", undefined], ["@quiet", "5-9", undefined],
    ]);
    assert.deepEqual(states, ["open", "open", "lost"]);
    newest().answer(1, "@demo", "73");
    newest().tell(chat("73", { cursor: "1-3" }));
    assert.equal(connection.returns, 1);
  });

  test("the cursors of a gateway that goes are the ones to go on at", () => {
    join(demo);
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().tell({ status: "closing", code: "draining", reconnect: true, retry_in_ms: 0, cursors: { "tiktok:73": "8-1" } });
    assert.equal(of("@demo").at(-1).code, "draining");
    newest().onclose({ code: 1012 });
    mock.timers.tick(0);
    newest().open();
    assert.equal(newest().commands[0].since, "8-1");
  });

  test("a cursor that is refused is forgotten", () => {
    join(demo);
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().tell(chat("73", { cursor: "1-2" }));
    newest().tell({ error: "x", code: "bad_cursor", reconnect: false, platform: "tiktok", room: "73", id: 1 });
    newest().onclose({ code: 1006 });
    mock.timers.tick(1000);
    newest().open();
    assert.deepEqual([newest().commands[0].since, newest().commands[0].last], [undefined, 50]);
  });

  test("the end of one room disturbs no other, and it is not asked for again", () => {
    join(demo);
    join(quiet);
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().answer(2, "@quiet", "74");
    newest().tell({ error: "x", code: "offline", reconnect: false, platform: "tiktok", room: "74" });
    assert.equal(of("@quiet").at(-1), "over");
    newest().tell(chat("73"));
    assert.deepEqual(of("@demo"), [chat("73")]);
    newest().onclose({ code: 1006 });
    mock.timers.tick(1000);
    newest().open();
    assert.deepEqual(newest().commands.map(({ room }) => room), ["@demo"]);
  });

  test("a room that is no room, or is here already, is told by its id, as it has no name of its own", () => {
    join(demo);
    join({ platform: "tiktok", room: "a b" });
    join({ platform: "tiktok", room: "@DEMO" });
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().tell({ error: "x", code: "bad_room", reconnect: false, id: 2 });
    newest().tell({ error: "x", code: "already_subscribed", reconnect: false, platform: "tiktok", room: "@demo", id: 3 });
    newest().tell(chat("73"));
    assert.equal(of("a b").at(-1), "over");
    assert.equal(of("@DEMO").at(-1), "over");
    assert.deepEqual(of("@demo"), [chat("73")]);
  });

  test("an ignored option ends nothing", () => {
    join(demo);
    newest().open();
    newest().answer(1, "@demo");
    newest().tell({ error: "x", code: "bad_option", reconnect: false, platform: "tiktok", room: "@demo", id: 1 });
    newest().tell(chat("@demo"));
    assert.deepEqual(of("@demo").at(-1), chat("@demo"));
  });

  test("a room in which the gateway failed is asked for again, once", () => {
    join(demo);
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().tell(chat("73", { cursor: "1-2" }));
    newest().tell({ error: "x", code: "internal", reconnect: true, platform: "tiktok", room: "73" });
    mock.timers.tick(4000);
    assert.deepEqual(newest().commands.map(({ action, since }) => [action, since]), [["subscribe", undefined], ["subscribe", "1-2"]]);
    newest().tell({ error: "x", code: "internal", reconnect: true, platform: "tiktok", room: "@demo", id: 1 });
    newest().onclose({ code: 1006 });
    mock.timers.tick(1000);
    newest().open();
    mock.timers.tick(4000);
    assert.equal(newest().commands.length, 1);
  });

  test("a room that was left is not heard any more, and the last one takes the socket with it", () => {
    const first = join(demo);
    const second = join(quiet);
    newest().open();
    newest().answer(1, "@demo", "73");
    newest().answer(2, "@quiet", "74");
    first.leave();
    assert.deepEqual(newest().commands.at(-1), { action: "unsubscribe", id: 1, platform: "tiktok", room: "@demo" });
    newest().tell(chat("73"));
    newest().tell({ type: "unsubscribed", id: 1, platform: "tiktok", room: "@demo", cursor: "1-2" });
    newest().tell({ error: "x", code: "not_subscribed", reconnect: false, id: 1 });
    assert.deepEqual(heard, []);
    second.leave();
    assert.ok(newest().closed);
    mock.timers.tick(3_600_000);
    assert.equal(FakeSocket.opened.length, 1);
    join(demo);
    assert.equal(FakeSocket.opened.length, 2);
  });

  test("it stays away when asked to, and says so in every room", () => {
    join(demo);
    newest().open();
    newest().onclose({ code: 1000 });
    mock.timers.tick(3_600_000);
    assert.equal(of("@demo").at(-1), "over");
    assert.equal(states.at(-1), "over");
    connection.hurry();
    assert.equal(FakeSocket.opened.length, 1);
  });

  test("it pings, and learns by the answer how far the gateway is, and what its clock says", () => {
    join(demo);
    newest().open();
    assert.equal(newest().sent.at(-1).type, "ping");
    mock.timers.tick(40);
    newest().tell({ type: "pong", timestamp: 5020 });
    assert.deepEqual([connection.pingMs, connection.clockAheadMs], [40, 5000]);
  });

  test("a link that leaves two pings unanswered is dead, whatever the socket says", () => {
    join(demo);
    newest().open();
    for (let minute = 0; minute < 5; minute += 1) {
      mock.timers.tick(10_000);
      newest().tell({ type: "pong", timestamp: 1 });
    }
    assert.deepEqual(heard, []);
    const dead = newest();
    mock.timers.tick(30_000);
    assert.deepEqual(of("@demo"), ["lost"]);
    assert.ok(dead.closed);
    assert.equal(dead.onclose, null);
  });

  test("the pause starts small again after an event, not after a mere handshake", () => {
    join(demo);
    for (let attempt = 0; attempt < 6; attempt += 1) {
      newest().open();
      newest().answer(1, "@demo");
      newest().tell({ status: "connecting", step: 1, platform: "tiktok", room: "@demo" });
      newest().onclose({ code: 1006 });
      mock.timers.tick(30_000);
    }
    assert.equal(FakeSocket.opened.length, 7);
    newest().onclose({ code: 1006 });
    mock.timers.tick(3000);
    assert.equal(FakeSocket.opened.length, 7);
    mock.timers.tick(27_000);
    newest().open();
    newest().answer(1, "@demo");
    newest().tell(chat("@demo"));
    newest().onclose({ code: 1006 });
    mock.timers.tick(1000);
    assert.equal(FakeSocket.opened.length, 9);
  });

  test("it hurries when the network is back, and only then", () => {
    connection.hurry();
    assert.equal(FakeSocket.opened.length, 0);
    join(demo);
    connection.hurry();
    assert.equal(FakeSocket.opened.length, 1);
    newest().onclose({ code: 1006 });
    connection.hurry();
    assert.equal(FakeSocket.opened.length, 2);
  });

  test("a pause ends with stop", () => {
    join(demo);
    newest().onclose({ code: 1006 });
    connection.stop();
    mock.timers.tick(3_600_000);
    assert.equal(FakeSocket.opened.length, 1);
  });
});
