/** One room on the page, drawn from its state (room.js) into a copy of the page's template. */

import { duration, number, words } from "./language.js";
import { Panels } from "./panels.js";
import { avatar, calm, drawWhenNew, el, name, nameOf, setText } from "./pieces.js";
import { Plot } from "./plot.js";
import { ROWS_MAX, delay, eventsPerSecond } from "./room.js";
import { Rows } from "./rows.js";
import { Series } from "./series.js";

const TALKATIVE_PER_S = 3; // above this a screen reader could not keep up: it is asked not to read by itself
const HEARTS_MAX = 12; // on the screen at once
const BUSY_PER_S = 40; // above this nobody looks for hearts, and what moves has the whole room drawn with it
const AT_REST = ["offline", "ended", "refused", "closed"];

let columns = 0;

export class Column {
  element;
  #room; #parts; #rows; #panels; #plot; #sizes;
  #series = new Series();
  #drawn = new Map();
  #unread = 0;
  #atEnd = true; // the newest row is on the screen, and is kept there
  #scrolledTo = 0;

  /** @param asked {room, platform, key}; `leave` and `again` are called when the reader asks for it. */
  constructor(room, asked, { leave, again, drawSoon }) {
    this.#room = room;
    this.element = document.getElementById("room").content.firstElementChild.cloneNode(true);
    this.#parts = new Map([...this.element.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    const part = (wanted) => this.#parts.get(wanted);
    const chat = part("chat");
    this.#rows = new Rows(room, chat);
    this.#panels = new Panels(room, part);
    this.#plot = new Plot(this.#series, part("plot"));

    this.element.dataset.key = asked.key;
    part("title").id = `title-${++columns}`;
    this.element.setAttribute("aria-labelledby", part("title").id);
    part("platform").textContent = asked.platform;
    part("leave").ariaLabel = words.leave(asked.room);
    part("again").textContent = words.again;
    chat.ariaLabel = words.chat;
    for (const [stat, label] of Object.entries(words.stats)) {
      const value = el("dd");
      this.#parts.set(`stat-${stat}`, value);
      part("stats").append(el("div", "", el("dt", "", label), value));
    }
    for (const sign of Object.keys(words.health)) {
      const text = el("span", sign);
      this.#parts.set(`health-${sign}`, text);
      part("health").append(text);
    }

    part("leave").addEventListener("click", leave);
    part("again").addEventListener("click", again);
    part("newer").addEventListener("click", () => {
      chat.scrollTop = chat.scrollHeight;
      chat.focus();
    });
    chat.addEventListener("scroll", () => {
      // Only a reader scrolls up; a chat that grew or shrank under us is no reason to stop following it.
      this.#atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 40
        || (this.#atEnd && chat.scrollTop >= this.#scrolledTo);
      this.#scrolledTo = chat.scrollTop;
      if (this.#atEnd && this.#unread > 0) {
        this.#unread = 0;
        drawSoon();
      }
    }, { passive: true });
    this.#sizes = new ResizeObserver(() => this.#stayAtEnd());
    this.#sizes.observe(chat);
  }

  get state() {
    const { state, paused } = this.#room;
    return state.name === "live" && paused ? "paused" : state.name;
  }

  get title() {
    const room = this.#room;
    return room.title || (room.host ? nameOf(room.host) : room.wanted);
  }

  /** What changed since the last time. */
  draw() {
    this.#drawHead();
    const fresh = this.#rows.draw();
    if (!this.#atEnd) this.#unread += fresh.length;
    setText(this.#part("newer"), this.#unread > 0 ? `↓ ${words.newRows(Math.min(this.#unread, ROWS_MAX))}` : "");
    this.#drawLines();
    this.#stayAtEnd(); // last: the lines around the chat take their room from it
  }

  /** What changes with time, or too often to be read at every change. `aloud`: a screen reader may read new lines. */
  drawSlowly(now, aloud) {
    const room = this.#room;
    const rate = eventsPerSecond(room, now);
    const values = {
      viewers: room.viewersText || number(room.viewers), total: number(room.total), likes: number(room.likes),
      diamonds: number(room.diamonds), rate: number(rate),
    };
    for (const [stat, value] of Object.entries(values)) setText(this.#part(`stat-${stat}`), value);
    const { gaps, dropped, returns } = room.health;
    const health = { delay: duration(delay(room)), gaps, dropped, returns };
    for (const [sign, value] of Object.entries(health)) {
      setText(this.#part(`health-${sign}`), words.health[sign](value));
      this.#part(`health-${sign}`).classList.toggle("bad", typeof value === "number" && value > 0);
    }
    this.#part("chat").ariaLive = aloud && rate <= TALKATIVE_PER_S ? "polite" : "off";
    this.#panels.draw(now);
    this.#drawHearts(rate);
    this.#series.push(now, room.viewers, rate);
    this.#plot.draw();
  }

  /** The colours may have changed. */
  redraw() {
    this.#plot.redraw();
  }

  remove() {
    this.#sizes.disconnect();
    this.#plot.remove();
    this.element.remove();
  }

  #part(wanted) {
    return this.#parts.get(wanted);
  }

  #drawHead() {
    const room = this.#room;
    const { state } = this;
    if (this.element.dataset.state !== state) this.element.dataset.state = state;
    setText(this.#part("state"), words.state[state]);
    setText(this.#part("title"), this.title);
    setText(this.#part("host"), room.host ? nameOf(room.host) : "");
    setText(this.#part("handle"), room.host?.unique_id ? `@${room.host.unique_id}` : room.wanted);
    drawWhenNew(this.#drawn, this.#part("face"), room.host, () => [avatar(room.host ?? { nickname: room.wanted.replace("@", "") })]);

    const { message, detail, suggestion, step } = room.state;
    const note = this.#part("note");
    note.hidden = state === "live" && room.rows.length > 0;
    note.classList.toggle("alone", room.rows.length === 0);
    this.#part("steps").hidden = step === 0 || state === "live";
    [...this.#part("steps").children].forEach((dot, index) => dot.classList.toggle("done", index < step));
    setText(this.#part("message"), state === "live" ? words.quiet : message || words.state[state]);
    setText(this.#part("detail"), detail);
    setText(this.#part("suggestion"), suggestion);
    this.#part("again").hidden = !AT_REST.includes(state);
  }

  #drawLines() {
    const texts = this.#room.caption?.texts ?? [];
    setText(this.#part("caption"), (texts.find(({ lang }) => lang.startsWith(document.documentElement.lang.slice(0, 2))) ?? texts[0])?.text ?? "");
    const { joins } = this.#room;
    drawWhenNew(this.#drawn, this.#part("joins"), joins, () => (joins ? [name(joins.user), ` ${words.joined(joins.others)}`] : []));
  }

  #drawHearts(rate) {
    const hearts = this.#part("hearts");
    const wanted = Math.min(3, Math.ceil(this.#room.newLikes / 10), HEARTS_MAX - hearts.childElementCount);
    this.#room.newLikes = 0;
    if (calm.matches || document.hidden || rate > BUSY_PER_S) return;
    for (let count = 0; count < wanted; count += 1) {
      const heart = el("span", "", "♥");
      hearts.append(heart);
      const drift = Math.random() * 56 - 28;
      heart.animate([
        { transform: "translate(0, 0) scale(0.6)", opacity: 0 },
        { transform: `translate(${drift / 2}px, -50px) scale(1)`, opacity: 0.9, offset: 0.3 },
        { transform: `translate(${drift}px, -170px) scale(1.15)`, opacity: 0 },
      ], { duration: 1800 + Math.random() * 900, delay: count * 300, easing: "ease-out", fill: "backwards" })
        .finished.finally(() => heart.remove());
    }
  }

  #stayAtEnd() {
    const chat = this.#part("chat");
    chat.classList.toggle("following", this.#atEnd);
    if (!this.#atEnd) return;
    chat.scrollTop = chat.scrollHeight;
    this.#scrolledTo = chat.scrollTop;
  }
}
