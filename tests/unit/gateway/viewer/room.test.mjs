// What frames mean for whoever watches a room. `node --test <this file>`

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  DELAYS_MAX, ROWS_MAX, delay, eventsPerSecond, expire, newRoom, receive, topGivers, withEmotes,
} from "../../../../gateway/static/room.js";
import { wordsIn } from "../../../../gateway/static/words.js";

const ana = { id: "6919", unique_id: "ana", nickname: "Ana", avatar: "", roles: [], badges: [] };
const ben = { ...ana, id: "6920", unique_id: "ben", nickname: "Ben" };
const common = { platform: "tiktok", room: "7300000000000000001", time: 0 };
const event = (type, fields) => ({ type, ...common, ...fields });
const chat = (fields = {}) => event("chat", { id: "1", user: ana, content: "hello", emotes: [], mentions: [], ...fields });
const rose = { id: "5655", name: "Rose", describe: "", diamond_count: 2, type: 1, combo: true, image: "" };
const gift = (total, delta, fields = {}) => event("gift", {
  user: ana, gift: rose, gift_id: "5655", group_id: "77", total, delta, diamonds: delta * 2, final: false, ...fields,
});

/** The room after these frames, all received at `now`. */
function after(frames, now = 0, room = newRoom("@demo")) {
  for (const frame of frames) receive(room, frame, now);
  return room;
}

describe("state", () => {
  for (const [frame, name] of [
    [{ status: "connecting", step: 1 }, "connecting"],
    [{ status: "creating_crawler", step: 2 }, "connecting"],
    [{ status: "getting_token", step: 3 }, "token"],
    [{ status: "checking_live", step: 4 }, "checking"],
    [{ status: "connected", step: 4 }, "live"],
    [{ status: "reconnecting", step: 4 }, "reconnecting"],
    [{ status: "waiting", step: 4 }, "waiting"],
    [{ status: "closing", code: "ended", reconnect: false }, "ended"],
    [{ status: "closing", code: "requested", reconnect: false }, "closed"],
    [{ status: "closing", code: "draining", reconnect: true }, "reconnecting"],
    [{ error: "x", code: "offline", reconnect: false }, "offline"],
    [{ error: "x", code: "ended", reconnect: false }, "ended"],
    [{ error: "x", code: "not_found", reconnect: false }, "refused"],
    [{ error: "x", code: "upstream_lost", reconnect: true }, "reconnecting"],
    [event("ended", { ended: { reason: "host" } }), "ended"],
  ]) {
    test(`${frame.status ?? frame.error ?? frame.type} ${frame.code ?? ""} is ${name}`, () => {
      assert.equal(after([frame]).state.name, name);
    });
  }

  test("a room may be one whose gifts we are not told", () => {
    const told = (gifts) => after([event("live_status", { live_status: { state: "live", gifts } })]).gifts;
    assert.deepEqual([newRoom("@demo").gifts, told(true), told(false)], [true, true, false]);
  });

  test("an ignored option does not end a live room", () => {
    const room = after([{ status: "connected" }, { error: "x", code: "bad_option", reconnect: false }]);
    assert.equal(room.state.name, "live");
  });

  test("the steps of a room that was live before are a reconnection", () => {
    assert.equal(after([{ status: "connected" }, { status: "connecting", step: 1 }]).state.name, "reconnecting");
  });

  test("texts of an error are kept for the reader", () => {
    const { state } = after([{ error: "Not live", detail: "@demo", suggestion: "Later", code: "offline", reconnect: false }]);
    assert.deepEqual([state.message, state.detail, state.suggestion], ["Not live", "@demo", "Later"]);
  });
});

describe("rows", () => {
  test("unknown frames, and names every object has, change nothing", () => {
    for (const frame of [{ status: "new_word" }, { type: "pong", timestamp: 1 }, { foo: 1 }, {}]) {
      assert.deepEqual(after([frame]), newRoom("@demo"));
    }
    for (const type of ["tomorrow", "constructor", "__proto__"]) {
      assert.deepEqual(after([event(type, {})]).rows, []);
    }
  });

  const chats = (count) => Array.from({ length: count }, (_, index) => chat({ id: String(index) }));
  /** What whoever draws does with a room. */
  const draw = (room) => {
    for (const row of room.changed) row.shown = true;
    room.changed.clear();
    room.removed.clear();
  };

  test("only the newest are kept, and what goes from the screen is told once", () => {
    const room = after(chats(ROWS_MAX));
    draw(room);
    after(chats(5), 0, room);
    assert.equal(room.rows.length, ROWS_MAX);
    assert.equal(room.rows[0].id, "5");
    assert.equal(room.changed.size, 5);
    assert.deepEqual([...room.removed], [1, 2, 3, 4, 5]);
  });

  test("a page that is not drawn for hours owes the screen no more than it holds", () => {
    const room = after(chats(ROWS_MAX));
    draw(room);
    after(chats(20 * ROWS_MAX), 0, room);
    assert.equal(room.changed.size, ROWS_MAX);
    assert.equal(room.removed.size, ROWS_MAX);
  });

  test("what the reader does not want to see makes room first", () => {
    const room = newRoom("@demo", { hidden: new Set(["chat"]) });
    after([gift(1, 1), ...chats(3 * ROWS_MAX)], 0, room);
    assert.equal(room.rows.length, ROWS_MAX);
    assert.equal(room.rows[0].kind, "gift");
    room.hidden.clear();
    after(chats(1), 0, room);
    assert.equal(room.rows[0].kind, "chat");
  });

  test("a chat carries its pictures where they belong", () => {
    const emotes = [{ id: "2", image: "b", index: 5 }, { id: "1", image: "a", index: 2 }];
    assert.deepEqual(withEmotes("hi you", emotes), ["hi", { image: "a", text: "" }, " yo", { image: "b", text: "" }, "u"]);
    assert.deepEqual(withEmotes("", [{ id: "1", image: "a", index: 0 }]), [{ image: "a", text: "" }]);
    assert.deepEqual(withEmotes("hi", [{ id: "1", image: "a", index: 9 }]), ["hi", { image: "a", text: "" }]);
  });

  test("deleted messages and all of a deleted user go", () => {
    const room = after([chat(), chat({ id: "2" }), chat({ id: "3", user: ben })]);
    after([event("delete", { delete: { message_ids: ["1"], user_ids: ["6920"] } })], 0, room);
    assert.deepEqual(room.rows.map(({ id }) => id), ["2"]);
  });

  test("a gap is a line of its own, and dropped frames in a row share one", () => {
    const dropped = { type: "dropped", ...common, count: 2, by_type: { like: 2 } };
    const room = after([{ type: "gap", ...common, reason: "trimmed" }, dropped, dropped, chat(), dropped]);
    assert.deepEqual(room.rows.map(({ what, count }) => [what, count]), [
      ["gap", undefined], ["dropped", 4], [undefined, undefined], ["dropped", 2],
    ]);
  });

  test("everything said by name has words in both languages", () => {
    const shown = after([
      event("follow", { user: ana }), event("share", { user: ana }),
      event("subscribe", { user: ana, subscribe: { kind: "new" } }),
      event("fans_club", { user: ana, fans_club: { kind: "join" } }),
      event("question", { user: ana, question: { id: "1", state: "asked", text: "?" } }),
      event("envelope", { user: ana, envelope: { id: "1", state: "shown", kind: "user" } }),
      ...["mute", "unmute", "kick", "ban", "unban", "admin_set", "admin_removed"].map((action) => event("member", { user: ana, action })),
    ]).rows;
    assert.equal(shown.length, 13);
    for (const language of ["en", "zh"]) {
      for (const row of shown) assert.notEqual(wordsIn(language).deed[row.what](row), "");
    }
  });

  test("arrivals share one rolling line until there is a pause", () => {
    const room = after([event("member", { user: ana, action: "enter" }), event("member", { user: ben, action: "enter" })], 1000);
    assert.equal(room.joins.user, ben);
    assert.equal(room.joins.others, 1);
    after([event("member", { user: ana, action: "enter" })], 9000, room);
    assert.equal(room.joins.others, 0);
    assert.deepEqual(room.rows, []);
  });
});

describe("gifts", () => {
  test("a streak is one row that grows in place", () => {
    const room = after([gift(1, 1), chat(), gift(4, 3), gift(4, 0, { final: true })]);
    assert.deepEqual(room.rows.map(({ kind }) => kind), ["gift", "chat"]);
    const [row] = room.rows;
    assert.deepEqual([row.total, row.value, row.open], [4, 8, false]);
    assert.equal(room.diamonds, 8);
  });

  test("a gift may have its time on the screen, counted from when it was last given", () => {
    const room = newRoom("@demo", { giftShownMs: 8000 });
    after([gift(1, 1)], 0, room);
    after([gift(2, 1)], 5000, room);
    expire(room, 12_999);
    assert.equal(room.rows.length, 1);
    expire(room, 13_000);
    assert.equal(room.rows.length, 0);
    after([gift(3, 1)], 14_000, room);
    assert.equal(room.rows[0].total, 3);
  });

  test("another run, giver or gift, or none at all, is another row", () => {
    const room = after([
      gift(1, 1), gift(1, 1, { group_id: "78" }), gift(1, 1, { user: ben }), gift(1, 1, { gift_id: "9" }),
      gift(1, 1, { group_id: "0" }), gift(1, 1, { group_id: "0" }),
    ]);
    assert.equal(room.rows.length, 6);
  });

  test("givers are ranked by what they gave, or by what the platform says if that is more", () => {
    const room = after([gift(5, 5), event("room_stats", {
      viewer_count: 1, total: 1, total_user: 2, top: [{ rank: 1, score: 50, user: ben }, { rank: 2, score: 3, user: ana }],
    })]);
    assert.deepEqual(topGivers(room, 5).map(({ user, diamonds }) => [user.nickname, diamonds]), [["Ben", 50], ["Ana", 10]]);
  });

  test("masked people are not added up as one", () => {
    assert.deepEqual(topGivers(after([gift(5, 5, { user: { ...ana, masked: true } })]), 5), []);
  });

  test("the number of givers remembered is bounded, and the greatest stay", () => {
    const room = after([gift(1, 100)]);
    after(Array.from({ length: 5000 }, (_, index) => gift(1, 1, { user: { ...ana, id: `u${index}` } })), 0, room);
    assert.ok(room.givers.size <= 1000);
    assert.equal(topGivers(room, 1)[0].user.id, ana.id);
  });
});

describe("counters and panels", () => {
  test("likes never go down", () => {
    const like = (total) => event("like", { user: ana, like_count: 3, total_like_count: total });
    const room = after([like(90), like(80)]);
    assert.deepEqual([room.likes, room.newLikes], [90, 6]);
  });

  test("the next broadcast counts anew", () => {
    const room = after([gift(5, 5), chat({ room: "7300000000000000002" })]);
    assert.equal(room.diamonds, 0);
    assert.equal(room.rows.length, 2);
  });

  test("the rate is that of live events alone", () => {
    const live = after(Array.from({ length: 30 }, () => chat()));
    assert.ok(eventsPerSecond(live, 0) > 9);
    assert.ok(eventsPerSecond(live, 60_000) < 0.001);
    const replay = after([{ type: "recovered", ...common, recovered: true, count: 2 }, chat(), chat(), chat({ history: true })]);
    assert.equal(eventsPerSecond(replay, 0), 0);
  });

  test("title, host and pause come from the room", () => {
    const room = after([event("live_status", { live_status: { state: "paused", title: "One", owner: ana, gifts: true } })]);
    after([event("room_update", { room_update: { title: "Two" } })], 0, room);
    assert.deepEqual([room.title, room.host, room.paused], ["Two", ana, true]);
  });

  test("a battle keeps its sides, shows its result for a while, and goes", () => {
    const battle = (state, sides = []) => event("battle", { battle: { id: "33", state, sides } });
    const room = after([battle("started", [{ anchor: ana, score: 1, top: [] }]), battle("item")]);
    assert.equal(room.battle.sides.length, 1);
    after([battle("finished")], 1000, room);
    expire(room, 1001);
    assert.equal(room.battle.state, "finished");
    expire(room, 100_000);
    assert.equal(room.battle, null);
  });

  test("a battle whose end was missed goes after its time", () => {
    const room = after([event("battle", { battle: { id: "33", state: "started", started_at: 0, duration_ms: 60_000, sides: [] } })]);
    expire(room, 60_000);
    assert.notEqual(room.battle, null);
    expire(room, 100_000);
    assert.equal(room.battle, null);
  });

  test("a battle's scores name their hosts by id alone: the names are known from its start, or from the room", () => {
    const nameless = (user) => ({ ...user, nickname: "", unique_id: "" });
    const battle = (state, ...anchors) =>
      event("battle", { battle: { id: "33", state, sides: anchors.map((anchor) => ({ anchor, score: 1, top: [] })) } });
    const names = (room) => room.battle.sides.map(({ anchor }) => anchor.nickname);
    assert.deepEqual(names(after([battle("started", ana, ben), battle("scores", nameless(ana), nameless(ben))])), ["Ana", "Ben"]);
    const live = event("live_status", { live_status: { state: "live", owner: ana, gifts: true } });
    assert.deepEqual(names(after([live, battle("scores", nameless(ana), nameless(ben))])), ["Ana", ""]);
  });

  test("a poll keeps the texts that only its start told", () => {
    const poll = (state, options) => event("poll", { poll: { id: "8", state, options } });
    const room = after([
      poll("started", [{ index: 0, text: "red", votes: 0 }]), poll("votes", [{ index: 0, text: "", votes: 4 }]),
    ]);
    assert.deepEqual(room.poll.options, [{ index: 0, text: "red", votes: 4 }]);
  });

  test("pins and captions have their time", () => {
    const room = after([
      event("pin", { pin: { state: "pinned", message_id: "1", duration_ms: 5000, event: chat() } }),
      event("caption", { caption: { texts: [{ lang: "en", text: "hi" }], start_at: 0, duration_ms: 1000, final: true } }),
    ]);
    expire(room, 4999);
    assert.equal(room.pin.content, "hello");
    expire(room, 5000);
    assert.deepEqual([room.pin, room.caption], [null, null]);
  });
});

describe("health", () => {
  test("gaps, and events that were skipped, are counted", () => {
    const { health } = after([
      { type: "gap", ...common, reason: "trimmed" }, { type: "dropped", ...common, count: 7 }, { type: "dropped", ...common, count: 3 },
    ]);
    assert.deepEqual([health.gaps, health.dropped], [1, 10]);
  });

  test("a room that was lost and is there again has come back once, however many tries it took", () => {
    const room = after([{ status: "connected" }]);
    after([{ status: "reconnecting" }, { status: "reconnecting" }, { status: "connecting", step: 1 }, { status: "connected" }], 0, room);
    assert.equal(room.health.returns, 1);
  });

  test("the delay is the middle one of the last live events'", () => {
    assert.equal(delay(newRoom("@demo")), null);
    const room = after([chat({ time: 900 }), chat({ time: 800 }), chat({ time: 1 })], 1000);
    assert.equal(delay(room), 200);
    after([chat({ time: 1, history: true }), { type: "recovered", ...common, count: 1 }, chat({ time: 1 })], 1000, room);
    assert.equal(delay(room), 200);
    after(Array.from({ length: DELAYS_MAX }, () => chat({ time: 990 })), 1000, room);
    assert.equal(delay(room), 10);
    assert.equal(room.health.delays.length, DELAYS_MAX);
  });

  test("an event that is ahead of our clock is not late", () => {
    assert.equal(delay(after([chat({ time: 1500 })], 1000)), 0);
  });

  test("events are counted by what readers call them, also those that are shown elsewhere or nowhere", () => {
    const room = after([chat(), event("emote", { user: ana, emote: { emotes: [] } }), gift(1, 1), event("share", { user: ana }),
      event("member", { user: ana, action: "enter" }), event("tomorrow", {})]);
    assert.deepEqual(Object.fromEntries(room.told), { chat: 2, gift: 1, social: 1, join: 1, notice: 0 });
    assert.equal(room.events, 6);
  });
});
