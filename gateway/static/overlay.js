/**
 * A room as an overlay for streaming software: no page around it, and nothing behind it.
 *
 * All rooms of an overlay share its one list. Chat stays until newer lines push it out; a gift goes a while after it
 * was last given.
 */

import { setText } from "./pieces.js";
import { Rows } from "./rows.js";

/** Which events an overlay asks for, how many to begin with, and what it has on the screen (room.js). */
export const OVERLAYS = {
  chat: { events: "chat,emote,delete", last: 20, limits: { rowsMax: 30 } },
  gifts: { events: "gift", last: 0, limits: { rowsMax: 5, giftShownMs: 8000 } },
};
const SAID = ["offline", "ended", "refused", "closed"]; // whoever sets an overlay up wants to know why it is empty

export class OverlayRoom {
  element;
  #room; #rows;

  constructor(room, list) {
    this.#room = room;
    this.#rows = new Rows(room, list);
    this.element = document.createElement("p");
  }

  get title() {
    return this.#room.wanted;
  }

  draw() {
    this.#rows.draw();
    const { name, message } = this.#room.state;
    setText(this.element, SAID.includes(name) ? `${this.#room.wanted}: ${message || name}` : "");
  }

  drawSlowly() {}

  redraw() {}

  remove() {
    this.element.remove();
  }
}
