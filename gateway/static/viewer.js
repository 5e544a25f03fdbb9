/**
 * The page: a room's state (room.js), kept up to date by its connection (connection.js), drawn at most once a frame.
 *
 * All that came over the wire is put in as text, never as markup, and only http(s) images are fetched.
 */

import { RoomConnection } from "./connection.js";
import { ROWS_MAX, eventsPerSecond, expire, newRoom, receive, topGivers } from "./room.js";
import { pickLanguage, wordsIn } from "./words.js";

const language = pickLanguage(navigator.languages);
const words = wordsIn(language);
const platforms = document.querySelector("meta[name=platforms]").content.split(/[\s,]+/).filter(Boolean);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const TALKATIVE_PER_S = 3; // above this a screen reader could not keep up: it is asked not to read by itself
const HEARTS_MAX = 12; // on the screen at once
const AT_REST = ["offline", "ended", "refused", "closed"];

const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const number = (value) => (value === null ? "–" : Math.abs(value) < 10_000 ? exact.format(value) : short.format(value));

const $ = (id) => document.getElementById(id);
const chat = $("chat");

let room = newRoom("");
let connection = null;
const elements = new Map(); // key of a row -> its <li>
let unread = 0;
let atEnd = true; // the newest row is on the screen, and is kept there
let scrolledTo = 0;
let drawing = false;

// --- Small pieces ----------------------------------------------------------------------------------------------------

function el(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Touches the page only when there is something new: what does not change costs no layout and is not read out again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

function picture(url, className, text = "") {
  if (!/^https?:\/\//i.test(url)) return text;
  const image = el("img", className);
  Object.assign(image, { alt: text, decoding: "async", referrerPolicy: "no-referrer", src: url });
  image.addEventListener("error", () => image.replaceWith(text), { once: true });
  return image;
}

const nameOf = (user) => user?.nickname || user?.unique_id || "?";
const name = (user) => {
  const element = el("bdi", "name", nameOf(user));
  element.title = user?.unique_id ? `@${user.unique_id}` : "";
  return element;
};

/** A face; the first letter on a quiet colour of their own shows until it is loaded, and when there is none. */
function avatar(user) {
  const element = el("span", "avatar", [...nameOf(user)][0].toUpperCase(), picture(user?.avatar ?? "", ""));
  const hue = [...(user?.id ?? "")].reduce((sum, digit) => (sum * 31 + digit.charCodeAt(0)) % 360, 7);
  element.style.setProperty("--hue", hue);
  element.ariaHidden = "true";
  return element;
}

function bar(...shares) {
  return el("div", "bar", ...shares.map((share) => {
    const part = el("i");
    part.style.flexGrow = share;
    return part;
  }));
}

// --- Rows of the chat ------------------------------------------------------------------------------------------------

const ROWS = {
  chat(row) {
    const text = el("span", "text", ...row.parts.map((part) =>
      typeof part === "string" ? part : picture(part.image, "emote", part.text ?? "")));
    text.dir = "auto";
    const roles = (row.user.roles ?? []).filter((role) => Object.hasOwn(words.role, role));
    const tags = roles.map((role) => el("span", `role ${role === "anchor" ? "anchor" : ""}`, words.role[role]));
    return [avatar(row.user), el("p", "", name(row.user), ...tags, " ", text)];
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

/** The parts of a row that may change after it was first drawn. */
const UPDATES = {
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

function drawRows() {
  for (const key of room.removed) {
    elements.get(key)?.remove();
    elements.delete(key);
  }
  room.removed.clear();
  for (const row of room.changed) {
    room.changed.delete(row); // before it is drawn: one row that cannot be drawn must not come back for ever
    let element = elements.get(row.key);
    if (element === undefined) {
      element = el("li", row.highlight ? `${row.kind} highlight` : row.kind, ...ROWS[row.kind](row));
      elements.set(row.key, element);
      chat.append(element);
      if (!atEnd) unread += 1;
    }
    UPDATES[row.kind]?.(element, row);
  }
  setText($("newer"), unread > 0 ? `↓ ${words.newRows(Math.min(unread, ROWS_MAX))}` : "");
}

// --- Everything around it --------------------------------------------------------------------------------------------

function drawHead() {
  const state = room.state.name === "live" && room.paused ? "paused" : room.state.name;
  document.documentElement.dataset.state = state;
  setText($("state"), words.state[state]);
  setText($("title"), room.title || (room.host ? nameOf(room.host) : room.wanted));
  setText($("host"), room.host ? `${nameOf(room.host)}${room.host.unique_id ? ` · @${room.host.unique_id}` : ""}` : "");
  drawWhenNew($("host-avatar"), room.host, () => [avatar(room.host ?? { nickname: room.wanted.replace("@", "") })]);
  document.title = `${$("title").textContent} · roomcast`;

  const { message, detail, suggestion, step } = room.state;
  $("note").hidden = state === "live" && room.rows.length > 0;
  $("note").classList.toggle("alone", room.rows.length === 0);
  $("steps").hidden = step === 0 || state === "live";
  [...$("steps").children].forEach((dot, index) => dot.classList.toggle("done", index < step));
  setText($("note-message"), state === "live" ? words.quiet : message || words.state[state]);
  setText($("note-detail"), detail);
  setText($("note-suggestion"), suggestion);
  $("again").hidden = !AT_REST.includes(state);
}

function drawStats(now) {
  const values = {
    viewers: room.viewersText || number(room.viewers), total: number(room.total), likes: number(room.likes),
    diamonds: number(room.diamonds), rate: exact.format(eventsPerSecond(room, now)),
  };
  for (const [stat, value] of Object.entries(values)) setText($(`stat-${stat}`), value);
  chat.ariaLive = eventsPerSecond(room, now) > TALKATIVE_PER_S ? "off" : "polite";
}

const drawn = new Map();
/** Rebuild a part of the page if the value it shows is another one. */
function drawWhenNew(element, value, build) {
  if (drawn.has(element) && drawn.get(element) === value) return;
  drawn.set(element, value);
  element.replaceChildren(...build(value));
}

const heading = (text, ...more) => el("h2", "", text, ...more);

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

function meter(label, value, part, whole) {
  const rest = whole > 0 ? Math.max(0, whole - part) : 1;
  return el("div", "meter", el("span", "text", label), el("span", "value", value), bar(part, rest));
}

function drawPanels(now) {
  for (const [part, build] of Object.entries(PANELS)) {
    $(part).hidden = room[part] === null;
    if (room[part] !== null) drawWhenNew($(part), room[part], build);
  }
  const { started_at, duration_ms, state } = room.battle ?? {};
  const left = state === "finished" || !started_at || !duration_ms ? 0 : started_at + duration_ms - now;
  const clock = $("battle").querySelector("time");
  if (clock) setText(clock, left > 0 ? `${Math.floor(left / 60_000)}:${String(Math.floor(left / 1000) % 60).padStart(2, "0")}` : "");

  const top = topGivers(room, 5);
  drawWhenNew($("givers"), `${room.gifts} ${top.map(({ user, diamonds }) => `${user.id} ${diamonds}`).join()}`, () => [
    heading(words.givers),
    top.length ? el("ol", "", ...top.map(({ user, diamonds }) =>
      el("li", "", avatar(user), name(user), el("span", "value", `◆ ${number(diamonds)}`))))
      : el("p", "empty", room.gifts ? words.nobody : words.noGifts),
  ]);
}

function drawLines() {
  const texts = room.caption?.texts ?? [];
  setText($("caption"), (texts.find(({ lang }) => lang.startsWith(language)) ?? texts[0])?.text ?? "");
  drawWhenNew($("joins"), room.joins, (joins) => (joins ? [name(joins.user), ` ${words.joined(joins.others)}`] : []));
}

function drawHearts() {
  const hearts = $("hearts");
  const wanted = Math.min(3, Math.ceil(room.newLikes / 10), HEARTS_MAX - hearts.childElementCount);
  room.newLikes = 0;
  if (calm.matches || document.hidden) return;
  for (let count = 0; count < wanted; count += 1) {
    const heart = el("span", "", "♥");
    hearts.append(heart);
    const drift = Math.random() * 56 - 28;
    heart.animate([
      { transform: "translate(0, 0) scale(0.6)", opacity: 0 },
      { transform: `translate(${drift / 2}px, -50px) scale(1)`, opacity: 0.9, offset: 0.3 },
      { transform: `translate(${drift}px, -170px) scale(1.15)`, opacity: 0 },
    ], { duration: 1800 + Math.random() * 900, delay: count * 140, easing: "ease-out", fill: "backwards" })
      .finished.finally(() => heart.remove());
  }
}

function stayAtEnd() {
  chat.classList.toggle("following", atEnd);
  if (!atEnd) return;
  chat.scrollTop = chat.scrollHeight;
  scrolledTo = chat.scrollTop;
}

function draw() {
  drawing = false;
  if (connection === null) return;
  drawHead();
  drawRows();
  drawLines();
  drawHearts();
  stayAtEnd(); // last: the lines around the chat take their room from it
}

/** However many frames come in between: one drawing per frame of the screen. */
function drawSoon() {
  if (!drawing) requestAnimationFrame(draw);
  drawing = true;
}

/** What changes with time, or too often to be read at every change. */
function drawSlowParts() {
  if (connection === null) return;
  const now = Date.now();
  expire(room, now);
  drawStats(now);
  drawPanels(now);
  drawSoon();
}

// --- Joining and leaving ---------------------------------------------------------------------------------------------

/** Join the room in this page's own address; without one, ask for a room. */
function joinFromAddress() {
  connection?.stop();
  connection = null;
  chat.replaceChildren();
  elements.clear();
  drawn.clear();
  [unread, atEnd] = [0, true];

  const query = new URLSearchParams(location.search);
  const wanted = query.get("room")?.trim() ?? "";
  const platform = platforms.includes(query.get("platform")) ? query.get("platform") : platforms[0];
  document.documentElement.dataset.view = wanted ? "room" : "welcome";
  [$("wanted").value, $("platform").value] = [wanted, platform];
  room = newRoom(wanted);
  if (!wanted) {
    document.title = "roomcast";
    return $("wanted").focus();
  }
  const url = new URL(`ws/${platform}/${encodeURIComponent(wanted)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("lang", language);
  connection = new RoomConnection(url, {
    frame(frame) {
      receive(room, frame, Date.now());
      drawSoon();
    },
    lost() {
      receive(room, { status: "reconnecting", message: words.lost }, Date.now());
      drawSoon();
    },
    over() {
      if (!AT_REST.includes(room.state.name)) receive(room, { status: "closing", message: words.gone }, Date.now());
      drawSoon();
    },
  });
  drawSlowParts();
}

$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const query = new URLSearchParams({ room: $("wanted").value.trim(), platform: $("platform").value });
  history.pushState(null, "", `?${query}`.replace("%40", "@"));
  joinFromAddress();
  $("wanted").blur(); // takes the keyboard of a phone off the screen
});
$("again").addEventListener("click", joinFromAddress);
$("newer").addEventListener("click", () => { chat.scrollTop = chat.scrollHeight; });
chat.addEventListener("scroll", () => {
  // Only a reader scrolls up; a chat that grew or shrank under us is no reason to stop following it.
  atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 40 || (atEnd && chat.scrollTop >= scrolledTo);
  scrolledTo = chat.scrollTop;
  if (atEnd && unread > 0) {
    unread = 0;
    drawSoon();
  }
}, { passive: true });
new ResizeObserver(stayAtEnd).observe(chat);
addEventListener("popstate", joinFromAddress);
addEventListener("online", () => connection?.hurry());

document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
for (const element of document.querySelectorAll("[data-word]")) {
  const text = words[element.dataset.word];
  if (element instanceof HTMLInputElement) element.placeholder = element.ariaLabel = text;
  else element.textContent = text;
}
chat.ariaLabel = words.chat;
for (const [stat, label] of Object.entries(words.stats)) {
  const value = el("dd");
  value.id = `stat-${stat}`;
  $("stats").append(el("div", "", el("dt", "", label), value));
}
for (const platform of platforms) $("platform").append(new Option(platform));
$("platform").hidden = platforms.length < 2;
setInterval(drawSlowParts, 1000);
joinFromAddress();
