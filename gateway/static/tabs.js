/** Which room is on the screen where there is room for one: a button for each. Wide screens show all, and no buttons. */

import { el, setText } from "./pieces.js";

export class Tabs {
  #nav; #rooms;
  #buttons = new Map(); // key of a room -> its button
  #chosen = "";

  /** @param rooms the element that the rooms are in. */
  constructor(nav, rooms) {
    this.#nav = nav;
    this.#rooms = rooms;
  }

  choose(key) {
    this.#chosen = key;
    for (const [other, button] of this.#buttons) button.ariaCurrent = String(other === key);
    for (const element of this.#rooms.children) element.classList.toggle("chosen", element.dataset.key === key);
  }

  /** @param places the rooms there are, by key: {asked, view}. */
  draw(places) {
    for (const [key, button] of this.#buttons) {
      if (places.has(key)) continue;
      button.remove();
      this.#buttons.delete(key);
    }
    for (const [key, { asked, view }] of places) {
      if (!this.#buttons.has(key)) this.#add(key, asked.room);
      const button = this.#buttons.get(key);
      setText(button.lastChild, view.title);
      if (button.dataset.state !== view.state) button.dataset.state = view.state ?? "";
    }
    if (places.size && !places.has(this.#chosen)) this.choose(places.keys().next().value);
  }

  #add(key, room) {
    const button = el("button", "tab", el("span", "dot"), el("bdi", "", room));
    Object.assign(button, { type: "button", ariaCurrent: "false" });
    button.addEventListener("click", () => this.choose(key));
    this.#buttons.set(key, button);
    this.#nav.append(button);
  }
}
