/** What goes on for a while in a room: a pinned line, a battle, a poll, a goal, and who gave most. */

import { number, words } from "./language.js";
import { avatar, bar, drawWhenNew, el, meter, name, setText } from "./pieces.js";
import { topGivers } from "./room.js";

const GIVERS_SHOWN = 5;

const heading = (text, ...more) => el("h3", "", text, ...more);

const PANELS = {
  pin: (pin) => [el("span", "label", words.pin), " ", name(pin.user), " ", el("span", "text", pin.content)],
  battle: (battle) => [
    heading(words.battle, el("time")),
    el("div", "sides", ...battle.sides.map((side) =>
      el("div", "side", avatar(side.anchor), name(side.anchor), el("b", "", number(side.score)),
        side.result ? el("span", `result ${side.result}`, words.result[side.result] ?? "") : ""))),
    bar(...battle.sides.map((side) => side.score + 1)),
  ],
  poll: (poll) => {
    const all = poll.options.reduce((sum, option) => sum + option.votes, 0);
    return [heading(words.poll), ...(poll.title ? [el("p", "text", poll.title)] : []),
      ...poll.options.map(({ text, votes }) => meter(text, words.votes(votes), votes, all))];
  },
  goal: (goal) => [heading(words.goal), ...(goal.description ? [el("p", "text", goal.description)] : []),
    ...goal.parts.map(({ gift_name, progress, target }) =>
      meter(gift_name ?? "", `${number(progress)} / ${number(target)}`, progress, target))],
};

export class Panels {
  #room; #part;
  #drawn = new Map();

  /** @param part gives an element of the room by its name: "pin", "battle", "poll", "goal", "givers". */
  constructor(room, part) {
    this.#room = room;
    this.#part = part;
  }

  draw(now) {
    const room = this.#room;
    for (const [panel, build] of Object.entries(PANELS)) {
      const element = this.#part(panel);
      element.hidden = room[panel] === null;
      if (room[panel] !== null) drawWhenNew(this.#drawn, element, room[panel], build);
    }
    this.#drawClock(now);
    this.#drawGivers();
  }

  #drawClock(now) {
    const { started_at, duration_ms, state } = this.#room.battle ?? {};
    const left = state === "finished" || !started_at || !duration_ms ? 0 : started_at + duration_ms - now;
    const clock = this.#part("battle").querySelector("time");
    if (!clock) return;
    setText(clock, left > 0 ? `${Math.floor(left / 60_000)}:${String(Math.floor(left / 1000) % 60).padStart(2, "0")}` : "");
  }

  #drawGivers() {
    const room = this.#room;
    const top = topGivers(room, GIVERS_SHOWN);
    const value = `${room.gifts} ${top.map(({ user, diamonds }) => `${user.id} ${diamonds}`).join()}`;
    drawWhenNew(this.#drawn, this.#part("givers"), value, () => [
      heading(words.givers),
      top.length ? el("ol", "", ...top.map(({ user, diamonds }) =>
        el("li", "", avatar(user), name(user), el("span", "value", `◆ ${number(diamonds)}`))))
        : el("p", "empty", room.gifts ? words.nobody : words.noGifts),
    ]);
  }
}
