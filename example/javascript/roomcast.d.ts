import type { Event } from "./events.js";
export type * from "./events.js";

/** How things are: a step of the room's life, an error it may get over, or the connection is lost. */
export interface State {
  /** `connecting`, `connected`, `reconnecting`, `waiting` ...; the code of an error, as `unavailable`; `recovered`,
   * `dropped`; or `lost`. */
  name: string;
  /** The same for people. */
  text: string;
  /** All that the gateway said. */
  frame: Record<string, unknown>;
  /** The room is asked for anew after so many ms, which the client does by itself. */
  againMs?: number;
}

/** Nothing more comes from the room. `code` says why: `ended`, `offline`, `not_found`, `restricted` ... */
export interface Over {
  code: string;
  text: string;
}

/** What is told of a room. Each event comes once and in order; `over` is the last that is told. */
export interface Listener {
  event?(event: Event, room: Room): void;
  state?(state: State, room: Room): void;
  over?(over: Over, room: Room): void;
}

export interface JoinOptions {
  /** Only these types of events. */
  events?: string[];
  /** Begin with so many of the latest events. */
  last?: number;
  /** Begin behind this cursor. */
  since?: string;
  /** Wait for the room to go live, instead of being over when it is not. */
  wait?: boolean;
}

/** A room that was joined. */
export interface Room {
  /** What it was called then. */
  readonly asked: string;
  /** Of the last event that was handed out. Keep it, and `join` with `since` goes on behind it. */
  readonly cursor?: string;
  /** `platform:room` as the gateway writes what was asked for; empty until it has answered. */
  readonly key: string;
  /** `platform:room` of the broadcast that a name points to; its events are called so. */
  readonly target: string;
}

export class Roomcast {
  /**
   * @param url of a gateway, or of what stands before several: `ws://host:8000`.
   * @param options `lang` of texts for people, `en` or `zh`; ms between two pings; a WebSocket where none is built in.
   */
  constructor(url: string, options?: { lang?: "en" | "zh"; pingMs?: number; WebSocket?: unknown });
  /** Those that are not over. */
  readonly rooms: Room[];
  /** Add a room: `platform:room`, where a room is an id, a `@name` or what else the gateway takes; or a link.
   * @throws RangeError for one of more than 512 characters. */
  join(asked: string, listener: Listener, options?: JoinOptions): Room;
  /** Be in a room no longer. With the last one, left or over, the connection is closed. */
  leave(room: Room): void;
  /** Leave all rooms, politely if there is a connection. A later `join` begins anew. */
  close(): void;
  /** Come back at once: the network is there again. */
  hurry(): void;
}
