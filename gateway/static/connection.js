/**
 * One WebSocket for all rooms, that comes back by itself, and goes on in each room where that stopped.
 *
 * Every frame that carries a `cursor` moves our place in its room; a new socket asks for all `since` then. Whether to
 * come back is the server's word: not after close code 1000 or `reconnect: false`; after `retry_in_ms` if it says so,
 * else after a growing random pause, so that a thousand viewers of a lost gateway do not return in the same moment.
 */

import { HARMLESS_CODES } from "./room.js";

const PING_MS = 10_000;
const UNANSWERED_MAX = 2; // pings with no frame after them: the link is dead, whatever the socket says
const PAUSE_MS = 1000; // before the first new attempt; doubled for each further one
const PAUSE_MAX_MS = 30_000;
const NORMAL = 1000; // close code: asking again would give the same answer
const ABNORMAL = 1006; // close code: cut off without a word

/** Pause in ms before the next attempt, or null to stay away. `last` is the last frame, `random` in [0, 1). */
export function planReturn(code, last, attempt, random) {
  if (code === NORMAL || (code !== ABNORMAL && last.reconnect === false)) return null;
  if (last.reconnect === true && Number.isFinite(last.retry_in_ms)) return last.retry_in_ms;
  return Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** attempt) * (0.5 + random / 2);
}

/** One room on the connection. Of it the page knows `leave` alone. */
class Subscription {
  cursor = null;
  over = false;
  again;

  constructor(connection, id, asked, listener) {
    Object.assign(this, { connection, id, asked, listener });
  }

  get command() {
    const { platform, room, events, last } = this.asked;
    const from = this.cursor ? { since: this.cursor } : last ? { last } : {};
    return { action: "subscribe", id: this.id, platform, room, wait: true, ...(events ? { events } : {}), ...from };
  }

  leave() {
    clearTimeout(this.again);
    this.connection.leave(this);
  }
}

export class Connection {
  pingMs = null; // to the gateway and back
  clockAheadMs = 0; // the gateway's clock less ours
  returns = 0; // how often it has come back
  #url; #changed; #WebSocket;
  #socket = null;
  #subscriptions = new Map(); // by id
  #routes = new Map(); // `platform:room`, as asked for and as the events say, -> subscription
  #lastId = 0;
  #attempt = 0;
  #lost = false;
  #last = {};
  #unanswered = 0; // counted, not timed: in the background a browser calls us once a minute
  #pingedAt = 0;
  #pinging; #returning;

  /**
   * @param url of the gateway's socket, ws: or wss:.
   * @param changed called with "open", "lost" or "over" when the link is there, gone, and gone for good.
   */
  constructor(url, changed = () => {}, WebSocket = globalThis.WebSocket) {
    this.#url = url;
    this.#changed = changed;
    this.#WebSocket = WebSocket;
  }

  /**
   * Join a room.
   *
   * @param asked {platform, room, events, last}: which one, which types of events if not all, how many to begin with.
   * @param listener {frame(object), lost(), over()}: a frame came; the link is gone, and a new one will be tried; the
   *   room is gone for good.
   */
  join(asked, listener) {
    const subscription = new Subscription(this, ++this.#lastId, asked, listener);
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#socket === null) this.#open();
    else this.#send(subscription.command);
    return subscription;
  }

  leave(subscription) {
    if (!this.#subscriptions.delete(subscription.id)) return;
    const { platform, room } = subscription.asked;
    if (!subscription.over) this.#send({ action: "unsubscribe", id: subscription.id, platform, room });
    this.#forget(subscription);
    if (this.#subscriptions.size === 0) this.stop();
  }

  /** Leave all rooms for good. */
  stop() {
    clearTimeout(this.#returning);
    this.#returning = undefined;
    for (const { again } of this.#subscriptions.values()) clearTimeout(again);
    this.#subscriptions.clear();
    this.#lost = false;
    this.#letGo();
  }

  /** Do not wait for the pause to end: the network has just come back. */
  hurry() {
    if (this.#socket === null && this.#returning !== undefined) this.#open();
  }

  get #wanted() {
    return [...this.#subscriptions.values()].filter(({ over }) => !over);
  }

  #open() {
    clearTimeout(this.#returning);
    this.#returning = undefined;
    this.#last = {};
    this.#unanswered = 0;
    const socket = new this.#WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      for (const subscription of this.#wanted) {
        clearTimeout(subscription.again);
        this.#send(subscription.command);
      }
      this.#ping();
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(code);
    this.#pinging = setInterval(() => {
      if (this.#unanswered >= UNANSWERED_MAX) this.#closed(ABNORMAL);
      else this.#ping();
    }, PING_MS);
  }

  /** What cannot be sent now is said when the socket opens. */
  #send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  #ping() {
    this.#pingedAt = Date.now();
    this.#unanswered += 1;
    this.#send({ type: "ping" });
  }

  #receive(frame) {
    this.#unanswered = 0;
    this.#last = frame;
    if (frame.type === "pong") return this.#pong(frame, Date.now());
    if (frame.cursors) this.#place(frame.cursors);
    // Answers name the command, as a room that was not understood has no other name. Ids of events are strings.
    const answers = typeof frame.id === "number";
    const subscription = answers ? this.#subscriptions.get(frame.id) : this.#routes.get(`${frame.platform}:${frame.room}`);
    if (subscription === undefined) {
      if (!answers && !frame.room) this.#tellAll(frame); // else it is of a room that was left just now
      return;
    }

    if (frame.code === "bad_cursor") subscription.cursor = null;
    else if (frame.cursor) subscription.cursor = frame.cursor;
    if (frame.type === "subscribed") return this.#subscribed(subscription, frame);
    if (frame.type === "unsubscribed") return;
    if (frame.type === "target") return void this.#routes.set(`${frame.platform}:${frame.target}`, subscription);
    if (frame.type) this.#attempt = 0; // only what really came from a room shows that the link is worth having
    if (this.#lost) {
      this.#lost = false;
      this.returns += 1;
    }
    subscription.listener.frame(frame);
    if (endsRoom(frame)) this.#end(subscription, frame);
  }

  #subscribed(subscription, { platform, room }) {
    this.#routes.set(`${platform}:${room}`, subscription);
    this.#changed("open");
  }

  /** What is said of the whole connection concerns every room. */
  #tellAll(frame) {
    for (const { listener } of this.#wanted) listener.frame(frame);
  }

  #pong({ timestamp, cursors = {} }, now) {
    this.pingMs = now - this.#pingedAt;
    this.clockAheadMs = timestamp - (now + this.#pingedAt) / 2;
    this.#place(cursors);
  }

  /** A client that asks for some types only learns by these how far its rooms have come. */
  #place(cursors) {
    for (const [room, cursor] of Object.entries(cursors)) {
      const subscription = this.#routes.get(room);
      if (subscription) subscription.cursor = cursor;
    }
  }

  #end(subscription, { reconnect, retry_in_ms }) {
    this.#forget(subscription);
    if (reconnect) {
      // The gateway failed in this one room; the others are as they were.
      const pause = retry_in_ms ?? planReturn(ABNORMAL, {}, 2, Math.random());
      subscription.again = setTimeout(() => this.#send(subscription.command), pause);
      return;
    }
    subscription.over = true;
    subscription.listener.over();
  }

  #forget(subscription) {
    for (const [room, routed] of this.#routes) if (routed === subscription) this.#routes.delete(room);
  }

  #closed(code) {
    this.#letGo();
    const pause = planReturn(code, this.#last, this.#attempt, Math.random());
    if (pause === null) {
      for (const subscription of this.#wanted) {
        subscription.over = true;
        subscription.listener.over();
      }
      return this.#changed("over");
    }
    this.#attempt += 1;
    this.#lost = true;
    this.#returning = setTimeout(() => this.#open(), pause);
    for (const { listener } of this.#wanted) listener.lost();
    this.#changed("lost");
  }

  /** Nothing more comes from this socket, even if its closing handshake takes a minute. */
  #letGo() {
    clearInterval(this.#pinging);
    this.#routes.clear();
    if (this.#socket === null) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(NORMAL);
    this.#socket = null;
  }
}

/** Whether a frame with a room in it is the last one of that room: the gateway's table of codes, as far as it ends one. */
function endsRoom({ error, status, code, reconnect }) {
  if (status === "closing") return true;
  return Boolean(error) && (code === "internal" || (reconnect === false && !HARMLESS_CODES.has(code)));
}
