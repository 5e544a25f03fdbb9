/**
 * Live rooms of any number, over one WebSocket that comes back by itself and goes on where it stopped. For browsers,
 * and for Node 22; Node 20 wants the package `ws`, or --experimental-websocket.
 *
 *   const client = new Roomcast("ws://localhost:8000");
 *   client.join("tiktok:@demo", { event: (event) => console.log(event.type), over: ({ code }) => console.log(code) });
 */

const PING_MS = 20_000; // a link that brings nothing from one ping to the next is dead, whatever the socket says
const PAUSE_MS = 1000; // before the first new attempt; doubled for each further one
const PAUSE_MAX_MS = 30_000;

const OPEN = 1; // WebSocket.OPEN, which not every implementation has on the class
const NORMAL = 1000; // close code: coming back would give the same answer
const CUT_OFF = 1006; // close code: gone without a word

const ROOM_MAX = 512; // characters of a room; a gateway closes the whole connection for a command that is far too long

/** Errors about how a room was asked for. Asking again would not help, and yet nothing is over. */
const REMARKS = new Set(["bad_option", "bad_cursor"]);

/**
 * How long to wait before coming back, in ms.
 *
 * @param attempt how often that was tried without an event in between.
 * @param toldMs what the gateway asked for. The first time that is all; but who is sent away again and again goes slow.
 * @param jitter of [0, 1), so that not all clients of a lost gateway return in the same moment.
 */
export function pauseMs(attempt, toldMs, jitter) {
  const ownMs = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** attempt) * (0.5 + jitter / 2);
  if (toldMs === undefined) return ownMs;
  return Math.max(toldMs, attempt > 0 ? ownMs : 0);
}

/** A room that was joined. */
export class Room {
  asked; // what it was called then
  cursor; // of the last event that was handed out; keep it, and `join` with `since` goes on behind it
  key = ""; // `platform:room` as the gateway writes what was asked for; empty until it has answered
  target = ""; // `platform:room` of the broadcast that a name points to; its events are called so
  number;
  listener;
  options;
  attempt = 0;
  again; // timer: to ask for it anew

  constructor(asked, number, listener, { since, ...options }) {
    Object.assign(this, { asked, number, listener, options, cursor: since });
  }
}

export class Roomcast {
  #url;
  #WebSocket;
  #pingMs;
  #rooms = new Map(); // by number
  #called = new Map(); // by what frames call it: the name, and the broadcast it points to
  #socket = null;
  #last = {}; // the last frame, if it was about the whole connection
  #attempt = 0;
  #count = 0;
  #heard = true;
  #pinging;
  #returning;

  constructor(url, { lang = "en", pingMs = PING_MS, WebSocket = globalThis.WebSocket } = {}) {
    if (!WebSocket) throw new TypeError("there is no WebSocket here: pass one, as of the package ws");
    this.#url = `${url.replace(/^http/, "ws").replace(/\/+$/, "")}/ws?lang=${lang}`;
    this.#WebSocket = WebSocket;
    this.#pingMs = pingMs;
  }

  /** Those that are not over. */
  get rooms() {
    return [...this.#rooms.values()];
  }

  /** Add a room: see roomcast.d.ts for its options, and for what the listener is told. */
  join(asked, listener, options = {}) {
    if ([...split(asked).room].length > ROOM_MAX) throw new RangeError(`a room has at most ${ROOM_MAX} characters`);
    const room = new Room(asked, ++this.#count, listener, options);
    this.#rooms.set(room.number, room);
    if (this.#socket === null && this.#returning === undefined) this.#open();
    else this.#subscribe(room);
    return room;
  }

  /** Be in a room no longer. */
  leave(room) {
    this.#forget(room);
    this.#send({ action: "unsubscribe", id: room.number, ...split(room.asked) });
    this.#rest();
  }

  /** Leave all rooms, politely if there is a connection. A later `join` begins anew. */
  close() {
    for (const room of this.rooms) this.#forget(room);
    clearTimeout(this.#returning);
    this.#returning = undefined;
    this.#attempt = 0;
    this.#send({ action: "close" });
    this.#letGo();
  }

  /** Without rooms there is no connection, and none is tried. */
  #rest() {
    if (this.#rooms.size === 0) this.close();
  }

  /** Come back at once: the network is there again. */
  hurry() {
    if (this.#returning !== undefined) this.#open();
  }

  // --- the socket ---------------------------------------------------------------------------------------------------

  #open() {
    clearTimeout(this.#returning);
    this.#returning = undefined;
    this.#heard = true;
    const socket = new this.#WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => this.rooms.forEach((room) => this.#subscribe(room));
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#lose(code);
    socket.onerror = () => this.#lose(CUT_OFF); // where nobody listens at a door, Node 20 says this and no close
    this.#pinging = setInterval(() => {
      if (!this.#heard) return this.#lose(CUT_OFF);
      this.#heard = false;
      this.#send({ type: "ping" });
    }, this.#pingMs);
  }

  #send(command) {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(command));
  }

  /** Hear nothing more of this socket, even if its closing handshake takes a minute. */
  #letGo() {
    clearInterval(this.#pinging);
    this.#called.clear();
    if (this.#socket === null) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.onerror = () => {}; // `ws` throws what nobody listens to
    this.#socket.close(NORMAL);
    this.#socket = null;
  }

  #lose(code) {
    const last = this.#last;
    this.#last = {};
    this.#letGo();
    if (code === NORMAL || (code !== CUT_OFF && last.reconnect === false)) {
      for (const room of this.rooms) this.#end(room, last.code ?? "closed", textOf(last));
      return;
    }
    const againMs = pauseMs(this.#attempt++, last.reconnect ? last.retry_in_ms : undefined, Math.random());
    this.#returning = setTimeout(() => this.#open(), againMs);
    for (const room of this.rooms) {
      clearTimeout(room.again);
      room.listener.state?.({ name: "lost", text: "", frame: {}, againMs }, room);
    }
  }

  // --- the rooms ----------------------------------------------------------------------------------------------------

  #subscribe(room) {
    const place = room.cursor === undefined ? {} : { since: room.cursor, last: undefined };
    this.#send({ action: "subscribe", id: room.number, ...split(room.asked), ...room.options, ...place });
  }

  #hangUp(room) {
    clearTimeout(room.again);
    for (const key of [room.key, room.target]) if (this.#called.get(key) === room) this.#called.delete(key);
  }

  #forget(room) {
    this.#hangUp(room);
    this.#rooms.delete(room.number);
  }

  #end(room, code, text) {
    this.#forget(room);
    room.listener.over?.({ code, text }, room); // who may join another one
    this.#rest();
  }

  #receive(frame) {
    this.#heard = true;
    const room = this.#roomOf(frame);
    this.#last = !room && frame.room === undefined && !REMARKS.has(frame.code) ? frame : {};
    if (frame.type === "pong") {
      this.#attempt = 0; // a link that lasted so long was worth having, though nothing happens in its rooms
      for (const [key, cursor] of Object.entries(frame.cursors ?? {})) {
        if (this.#called.has(key)) this.#called.get(key).cursor = cursor;
      }
    }
    if (!room) return;
    if (frame.time === undefined && frame.type !== "gap") return this.#hearState(room, frame);
    room.cursor = frame.cursor ?? room.cursor;
    this.#attempt = room.attempt = 0;
    room.listener.event?.(frame, room);
  }

  #roomOf(frame) {
    // A number is that of a command, which this answers; ids of messages are strings.
    return typeof frame.id === "number"
      ? this.#rooms.get(frame.id)
      : this.#called.get(`${frame.platform}:${frame.room}`);
  }

  #hearState(room, frame) {
    const { type, status, error, code = "", reconnect } = frame;
    const state = { name: error === undefined ? status ?? type : code, text: textOf(frame), frame };
    if (type === "subscribed") {
      room.key = `${frame.platform}:${frame.room}`;
      this.#called.set(room.key, room);
    } else if (type === "target") {
      const target = `${frame.platform}:${frame.target}`;
      if (room.target && room.target !== target) room.cursor = undefined; // that of another broadcast leads nowhere
      room.target = target;
      this.#called.set(target, room);
    } else if (type === "recovered" && frame.count === 0) {
      room.cursor = frame.cursor ?? room.cursor; // otherwise it is that of an event which is still to come
    } else if (status === "connected") {
      room.cursor ??= frame.cursor;
    } else if (code === "bad_cursor") {
      room.cursor = undefined;
    } else if (code === "internal" || (status === "closing" && reconnect)) {
      this.#hangUp(room);
      state.againMs = pauseMs(room.attempt++, frame.retry_in_ms, Math.random());
      room.again = setTimeout(() => this.#subscribe(room), state.againMs);
    } else if (status === "closing" || (error !== undefined && reconnect === false && !REMARKS.has(code))) {
      return this.#end(room, code, state.text);
    }
    room.listener.state?.(state, room);
  }
}

function textOf({ message, error }) {
  return message ?? error ?? "";
}

/** Platform and room; a link, or a room of the gateway's default platform, has no platform before it. */
function split(asked) {
  const [, platform, room] = /^([a-z]+):(?!\/\/)(.+)$/s.exec(asked) ?? [];
  return room === undefined ? { room: asked } : { platform, room };
}
