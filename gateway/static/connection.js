/**
 * A room's WebSocket that comes back by itself, and goes on where it stopped.
 *
 * Every frame that carries a `cursor` moves our place in the room; a new socket asks for all `since` then. Whether to
 * come back is the server's word: not after close code 1000 or `reconnect: false`; after `retry_in_ms` if it says so,
 * else after a growing random pause, so that a thousand viewers of a lost gateway do not return in the same moment.
 */

const REPLAY = 50; // events to begin with, so that nobody starts before an empty page
const PING_MS = 20_000;
const SILENCE_MS = 50_000; // two pings unanswered: the link is dead, whatever the socket says
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

export class RoomConnection {
  #url; #listener; #WebSocket;
  #socket = null;
  #cursor = null;
  #attempt = 0;
  #last = {};
  #heardAt = 0;
  #pinging; #returning;

  /**
   * @param url of the room, ws: or wss:.
   * @param listener {frame(object), lost(), over()}: a frame came; the link is gone, and a new one will be tried; it is
   *   gone for good.
   */
  constructor(url, listener, WebSocket = globalThis.WebSocket) {
    this.#url = url;
    this.#listener = listener;
    this.#WebSocket = WebSocket;
    this.#open();
  }

  /** Leave the room for good. */
  stop() {
    clearTimeout(this.#returning);
    this.#letGo();
  }

  /** Do not wait for the pause to end: the network has just come back. */
  hurry() {
    if (this.#socket === null && this.#returning !== undefined) this.#open();
  }

  #open() {
    clearTimeout(this.#returning);
    this.#returning = undefined;
    const url = new URL(this.#url);
    if (this.#cursor) url.searchParams.set("since", this.#cursor);
    else url.searchParams.set("last", REPLAY);
    this.#last = {};
    this.#heardAt = Date.now();
    const socket = new this.#WebSocket(url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(code);
    this.#pinging = setInterval(() => {
      if (Date.now() - this.#heardAt > SILENCE_MS) this.#closed(ABNORMAL);
      else if (socket.readyState === 1) socket.send(JSON.stringify({ type: "ping", timestamp: Date.now() }));
    }, PING_MS);
  }

  #receive(frame) {
    this.#heardAt = Date.now();
    this.#last = frame;
    if (frame.code === "bad_cursor") this.#cursor = null;
    else if (frame.cursor) this.#cursor = frame.cursor;
    // Only what really came from the room shows that the link is worth having: a socket that opens proves nothing.
    if (frame.type && frame.type !== "pong") this.#attempt = 0;
    this.#listener.frame(frame);
  }

  #closed(code) {
    this.#letGo();
    const pause = planReturn(code, this.#last, this.#attempt, Math.random());
    if (pause === null) return this.#listener.over();
    this.#attempt += 1;
    this.#returning = setTimeout(() => this.#open(), pause);
    this.#listener.lost();
  }

  /** Nothing more comes from this socket, even if its closing handshake takes a minute. */
  #letGo() {
    clearInterval(this.#pinging);
    if (this.#socket === null) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(NORMAL);
    this.#socket = null;
  }
}
