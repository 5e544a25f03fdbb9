/** One line of a room: how it looks when it is new, and what changes in it afterwards. */

import { number, words } from "./language.js";
import { avatar, calm, el, name, nameOf, picture } from "./pieces.js";

const BADGES_MAX = 3; // more would push the text off a phone

/** What somebody is here, and the badges the platform shows beside the name. */
function badges({ roles = [], badges: given = [] }) {
  const known = roles.filter((role) => Object.hasOwn(words.role, role));
  return [
    ...known.map((role) => el("span", `role ${role === "anchor" ? "anchor" : ""}`, words.role[role])),
    ...given.slice(0, BADGES_MAX).map(({ kind, level, text = "", image = "" }) => {
      const badge = el("span", `badge ${kind === "fans" ? "fans" : ""}`, picture(image, ""), String(level ?? text));
      badge.title = text;
      return badge;
    }),
  ];
}

const LOOKS = {
  chat(row) {
    const text = el("span", "text", ...row.parts.map((part) =>
      typeof part === "string" ? part : picture(part.image, "emote", part.text ?? "")));
    text.dir = "auto";
    return [avatar(row.user), el("p", "", ...badges(row.user), name(row.user), " ", text)];
  },
  gift(row) {
    const sent = words.sent(row.gift.name || "🎁", row.to && nameOf(row.to));
    return [
      avatar(row.user),
      el("p", "", name(row.user), " ", el("span", "text", sent), " ", el("span", "value")),
      picture(row.gift.image, "gift-image"),
      el("b", "times"),
    ];
  },
  deed(row) {
    const text = Object.hasOwn(words.deed, row.what) ? words.deed[row.what](row) : row.text;
    return [el("p", "", ...(row.user ? [name(row.user), " "] : []), el("span", "text", text))];
  },
  mark: () => [el("span")],
};

/** The parts of a line that may change after it was first drawn. */
const CHANGES = {
  gift(element, row) {
    element.classList.toggle("open", row.open);
    const times = element.querySelector(".times");
    const text = row.total > 1 ? `×${number(row.total)}` : "";
    if (times.textContent && times.textContent !== text && !calm.matches) {
      times.animate([{ transform: "scale(1.35)" }, { transform: "none" }], { duration: 220, easing: "ease-out" });
    }
    times.textContent = text;
    element.querySelector(".value").textContent = row.value > 0 ? `◆ ${number(row.value)}` : "";
  },
  mark(element, row) {
    element.firstChild.textContent = words.mark[row.what](row.count);
  },
};

/** The lines of one room in a list of the page. */
export class Rows {
  #room; #list;
  #elements = new Map(); // key of a row -> its <li>

  constructor(room, list) {
    this.#room = room;
    this.#list = list;
  }

  /** Bring the list up to date; returns the elements that are new in it. */
  draw() {
    const room = this.#room;
    for (const key of room.removed) {
      this.#elements.get(key)?.remove();
      this.#elements.delete(key);
    }
    room.removed.clear();
    const fresh = [];
    for (const row of room.changed) {
      room.changed.delete(row); // before it is drawn: one row that cannot be drawn must not come back for ever
      let element = this.#elements.get(row.key);
      if (element === undefined) {
        row.shown = true;
        element = el("li", row.highlight ? `${row.kind} highlight` : row.kind, ...LOOKS[row.kind](row));
        element.dataset.group = row.group;
        this.#elements.set(row.key, element);
        fresh.push(element);
      }
      CHANGES[row.kind]?.(element, row);
    }
    this.#list.append(...fresh);
    return fresh;
  }
}
