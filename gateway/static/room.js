/**
 * What the frames of a room mean for whoever watches it: everything the page shows is decided here, nothing is drawn.
 *
 * `receive` brings a room's state up to date with one frame. It knows no DOM, no socket and no clock (`now` is passed
 * in, in ms), so it runs under node as well. A frame of an unknown type changes nothing; nothing here grows for ever.
 */

export const ROWS_MAX = 200; // lines kept on the screen
export const DELAYS_MAX = 64; // events whose way here is remembered, for the middle one of them
const GIVERS_MAX = 1000; // people whose gifts are added up; above it the smaller half is forgotten
const RATE_WINDOW_MS = 3000; // events per second are averaged over about this long
const JOINS_TOGETHER_MS = 4000; // arrivals closer than this share one line
const RESULT_SHOWN_MS = 30_000; // how long a finished battle or poll stays

/** Steps on the way to a live room, as the gateway names them -> what we call the state. */
const STEPS = new Map([
  ["connecting", "connecting"],
  ["creating_crawler", "connecting"],
  ["getting_token", "token"],
  ["checking_live", "checking"],
]);

const STATUSES = new Map([...STEPS, ["connected", "live"], ["reconnecting", "reconnecting"], ["waiting", "waiting"]]);

/** Errors about one option; the rest of the room goes on. */
export const HARMLESS_CODES = new Set(["bad_option", "bad_cursor"]);


/** What readers may want to be without -> the types of events that are told as it. */
export const GROUPS = new Map(Object.entries({
  chat: ["chat", "emote"],
  gift: ["gift"],
  social: ["follow", "share", "subscribe", "fans_club"],
  join: ["member"],
  notice: ["notice", "intro", "question", "envelope", "shopping"],
}));
const GROUP_OF = new Map([...GROUPS].flatMap(([group, types]) => types.map((type) => [type, group])));

/**
 * The state of a room before its first frame.
 *
 * @param wanted what it was asked for by.
 * @param hidden groups that the reader does not see now; the set may change at any time.
 * @param rowsMax how many lines are kept.
 * @param giftShownMs how long after it was last given a gift is among them.
 */
export function newRoom(wanted, { hidden = new Set(), rowsMax = ROWS_MAX, giftShownMs = Infinity } = {}) {
  return {
    wanted, hidden, rowsMax, giftShownMs,
    state: { name: "connecting", message: "", detail: "", suggestion: "", step: 0 },
    wasLive: false,
    paused: false,
    gifts: true, // whether we are told them at all
    id: "", // of the broadcast; a name such as @demo is moved on to the next one
    title: "",
    host: null,
    ...newCounters(),
    told: new Map([...GROUPS.keys()].map((group) => [group, 0])), // events by group since the page was opened
    events: 0, // of all types
    health: { gaps: 0, dropped: 0, returns: 0, delays: [] },
    rows: [], // oldest first
    changed: new Set(), // rows to draw, and keys of rows to take away: whoever draws empties both
    removed: new Set(),
    lastKey: 0,
    replaying: 0, // events still to come that happened before we were here
    rate: { value: 0, at: 0 },
    joins: null,
    pin: null,
    caption: null,
  };
}

/** What counts within one broadcast. */
function newCounters() {
  return {
    viewers: null, viewersText: "", total: null, likes: null, diamonds: 0, newLikes: 0,
    givers: new Map(), battle: null, poll: null, goal: null,
  };
}

/**
 * Bring `room` up to date with one frame. Frames of a kind unknown here change nothing.
 *
 * @param now in ms, by the server's clock as far as that is known: how late an event is is told by it.
 */
export function receive(room, frame, now) {
  if (typeof frame.status === "string") return receiveStatus(room, frame);
  if (typeof frame.error === "string") return receiveError(room, frame);
  if (FRAMES.has(frame.type)) return FRAMES.get(frame.type)(room, frame, now);
  if (typeof frame.type !== "string" || frame.type === "pong") return;

  if (room.id && frame.room !== room.id) Object.assign(room, newCounters(), { paused: false });
  room.id = frame.room;
  room.events += 1;
  const group = GROUP_OF.get(frame.type);
  if (group) room.told.set(group, room.told.get(group) + 1);
  if (room.replaying > 0) room.replaying -= 1;
  else if (!frame.history) {
    room.rate = { value: eventsPerSecond(room, now) + 1000 / RATE_WINDOW_MS, at: now };
    room.health.delays.push(Math.max(0, now - frame.time));
    if (room.health.delays.length > DELAYS_MAX) room.health.delays.shift();
  }
  EVENTS.get(frame.type)?.(room, frame, now);
}

/** How late events came of late, in ms: the middle one of the last few; null before the first. */
export function delay(room) {
  const sorted = [...room.health.delays].sort((a, b) => a - b);
  return sorted.length ? sorted[sorted.length >> 1] : null;
}

export function eventsPerSecond(room, now) {
  return room.rate.value * Math.exp((room.rate.at - now) / RATE_WINDOW_MS);
}

/** Take away what has had its time. */
export function expire(room, now) {
  for (const part of ["pin", "caption", "battle", "poll", "joins"]) {
    if (room[part]?.until <= now) room[part] = null;
  }
  for (const row of room.rows.filter(({ until }) => until <= now)) removeRow(room, row);
}

/** Who gave most, as far as we know: [{user, diamonds}]. */
export function topGivers(room, count) {
  return [...room.givers.values()].sort((a, b) => b.diamonds - a.diamonds).slice(0, count);
}

/** A chat text with its pictures: strings and {image, text}, in order. */
export function withEmotes(content, emotes = []) {
  const parts = [];
  let from = 0;
  for (const { image, index } of [...emotes].sort((a, b) => a.index - b.index)) {
    if (index > from) parts.push(content.slice(from, index));
    parts.push({ image, text: "" });
    from = Math.max(from, index);
  }
  if (from < content.length) parts.push(content.slice(from));
  return parts;
}

// --- Frames of the gateway -------------------------------------------------------------------------------------------

function receiveStatus(room, { status, message = "", code, reconnect, step = 0 }) {
  let name = STATUSES.get(status);
  if (status === "closing") name = reconnect ? "reconnecting" : code === "ended" ? "ended" : "closed";
  if (name === undefined) return;
  if (STEPS.has(status) && room.wasLive) name = "reconnecting";
  if (name === "live" && room.wasLive && room.state.name === "reconnecting") room.health.returns += 1;
  room.wasLive ||= name === "live";
  room.state = { name, message, detail: "", suggestion: "", step };
}

function receiveError(room, { error, detail = "", suggestion = "", code = "", reconnect = false }) {
  if (HARMLESS_CODES.has(code)) return;
  const name = reconnect ? "reconnecting" : code === "offline" || code === "ended" ? code : "refused";
  room.state = { name, message: error, detail, suggestion, step: 0 };
}

const FRAMES = new Map([
  ["recovered", (room, { count }) => { room.replaying = count; }],
  ["gap", (room, { reason }) => {
    room.health.gaps += 1;
    addRow(room, { kind: "mark", what: "gap", reason });
  }],
  ["dropped", (room, { count }) => {
    room.health.dropped += count;
    const last = room.rows.at(-1);
    if (last?.what !== "dropped") return addRow(room, { kind: "mark", what: "dropped", count });
    last.count += count;
    room.changed.add(last);
  }],
]);

// --- Events ----------------------------------------------------------------------------------------------------------

/** A line about something that `user` did: the words for `what` are chosen where it is drawn. */
const deed = (what, more = () => ({})) => (room, event) =>
  addRow(room, { kind: "deed", what, user: event.user, id: event.id, ...more(event) });

const EVENTS = new Map([
  ["chat", (room, { id, user, content, emotes, highlight }) =>
    addRow(room, { kind: "chat", id, user, parts: withEmotes(content, emotes), highlight: Boolean(highlight) })],
  ["emote", (room, { id, user, emote }) => addRow(room, { kind: "chat", id, user, parts: emote.emotes })],
  ["gift", receiveGift],
  ["like", (room, { like_count, total_like_count }) => {
    room.newLikes += like_count;
    room.likes = Math.max(room.likes ?? 0, total_like_count);
  }],
  ["member", (room, event, now) => {
    if (event.action === "enter") {
      const others = room.joins && now - room.joins.at < JOINS_TOGETHER_MS ? room.joins.others + 1 : 0;
      room.joins = { user: event.user, others, at: now, until: now + 2 * JOINS_TOGETHER_MS };
    } else if (!["leave", "other"].includes(event.action)) {
      deed(event.action)(room, event);
    }
  }],
  ["follow", deed("follow")],
  ["share", deed("share")],
  ["subscribe", deed("subscribe", ({ subscribe }) => ({ count: subscribe.months }))],
  ["fans_club", deed("fans_club", ({ fans_club }) => ({ count: fans_club.level, text: fans_club.name }))],
  ["question", (room, event) => {
    if (event.question.text) deed("question", ({ question }) => ({ text: question.text }))(room, event);
  }],
  ["envelope", (room, event) => {
    if (event.envelope.state === "shown") deed("envelope", ({ envelope }) => ({ count: envelope.diamonds }))(room, event);
  }],
  ["intro", deed("intro", ({ intro }) => ({ text: intro.text }))],
  ["notice", deed("notice", ({ notice }) => ({ text: notice.text }))],
  ["shopping", (room, event) => {
    const product = event.shopping.product;
    if (event.shopping.state === "popped" && product) deed("shopping", () => ({ text: `${product.title} ${product.price}` }))(room, event);
  }],
  ["room_stats", (room, { viewer_count, viewers_text, total_user, top }) => {
    Object.assign(room, { viewers: viewer_count, viewersText: viewers_text ?? "", total: total_user });
    for (const { user, score } of top) credit(room, user, (known) => Math.max(known, score));
  }],
  ["room_update", (room, { room_update }) => describe(room, room_update)],
  ["live_status", (room, { live_status }) => {
    describe(room, live_status);
    room.paused = live_status.state === "paused";
    room.gifts = live_status.gifts !== false;
  }],
  ["ended", (room, { ended }) => {
    room.state = { name: "ended", message: ended.text ?? "", detail: "", suggestion: "", step: 0 };
  }],
  ["battle", (room, { battle }, now) => {
    if (battle.state === "cancelled" || battle.state === "punish_finished") return void (room.battle = null);
    const known = room.battle?.id === battle.id ? room.battle : { sides: [] };
    // Scores name their hosts by id alone.
    const people = [...known.sides.map(({ anchor }) => anchor), ...(room.host ? [room.host] : [])];
    const named = (anchor) => (anchor.nickname ? anchor : people.find(({ id }) => id === anchor.id) ?? anchor);
    const sides = battle.sides.length ? battle.sides.map((side) => ({ ...side, anchor: named(side.anchor) })) : known.sides;
    const current = { ...known, ...battle, sides };
    const ends_at = current.started_at + current.duration_ms; // NaN when not told: then it has no end of its own
    const until = (battle.state === "finished" ? now : ends_at) + RESULT_SHOWN_MS;
    room.battle = { ...current, until };
  }],
  ["poll", (room, { poll }, now) => {
    const known = room.poll?.id === poll.id ? room.poll : { options: [] };
    const textOf = new Map(known.options.map(({ index, text }) => [index, text]));
    const options = poll.options.map((option) => ({ ...option, text: option.text || textOf.get(option.index) || "" }));
    const until = poll.state === "ended" ? now + RESULT_SHOWN_MS : poll.ends_at && poll.ends_at + RESULT_SHOWN_MS;
    room.poll = { ...known, ...poll, options: options.length ? options : known.options, until };
  }],
  ["goal", (room, { goal }) => { room.goal = goal; }],
  ["caption", (room, { caption }, now) => {
    room.caption = { texts: caption.texts, until: now + caption.duration_ms + 4000 };
  }],
  ["pin", (room, { pin }, now) => {
    if (pin.state !== "pinned") room.pin = null;
    else if (pin.event?.content) room.pin = { ...pin.event, until: pin.duration_ms && now + pin.duration_ms };
  }],
  ["delete", (room, event) => {
    const { message_ids, user_ids } = event.delete;
    const gone = (row) => message_ids.includes(row.id) || user_ids.includes(row.user?.id);
    for (const row of room.rows.filter(gone)) removeRow(room, row);
    if (room.pin && gone(room.pin)) room.pin = null;
  }],
]);

/** One row per streak, by who gave what in which run of presses; `delta` is counted, so nothing counts twice. */
function receiveGift(room, { id, user, gift, gift_id, group_id, total, diamonds, final, to_user }, now) {
  room.diamonds += diamonds;
  credit(room, user, (known) => known + diamonds);
  const sender = user.masked ? `${user.id}/${user.nickname}` : user.id; // one id for many
  const streak = group_id === "0" ? null : `${sender}/${gift_id}/${group_id}`;
  const row = streak && room.rows.findLast((candidate) => candidate.streak === streak);
  const streaking = { total, value: total * gift.diamond_count, open: !final, until: now + room.giftShownMs };
  if (!row) return addRow(room, { kind: "gift", id, user, to: to_user, gift, streak, ...streaking });
  Object.assign(row, streaking);
  room.changed.add(row);
}

/** `masked` people share one placeholder: adding them up would make one of many. */
function credit(room, user, sum) {
  if (!user.id || user.masked) return;
  const diamonds = sum(room.givers.get(user.id)?.diamonds ?? 0);
  if (diamonds > 0) room.givers.set(user.id, { user, diamonds });
  if (room.givers.size > GIVERS_MAX) {
    room.givers = new Map(topGivers(room, GIVERS_MAX / 2).map((giver) => [giver.user.id, giver]));
  }
}

function describe(room, { title, owner }) {
  room.title = title ?? room.title;
  room.host = owner ?? room.host;
}

function addRow(room, row) {
  row.key = ++room.lastKey;
  row.group = row.kind === "mark" ? "" : GROUP_OF.get(row.what ?? row.kind) ?? "notice";
  row.shown = false; // set by whoever draws
  room.rows.push(row);
  room.changed.add(row);
  // What nobody sees makes room first: who hides the chat of a busy room keeps its gifts.
  if (room.rows.length > room.rowsMax) removeRow(room, room.rows.find(({ group }) => room.hidden.has(group)) ?? room.rows[0]);
}

function removeRow(room, row) {
  room.rows.splice(room.rows.indexOf(row), 1);
  room.changed.delete(row);
  if (row.shown) room.removed.add(row.key); // a tab in the background draws nothing: then there is nothing to take away
}
