/**
 * The page: rooms side by side, each kept up to date by the one connection (connection.js) and drawn from its state.
 *
 * Frames are taken as they come; the page is drawn in a frame of the screen, once for all of them, and then rests.
 */

import { readAddress, readRoom, writeAddress, ROOMS_MAX } from "./address.js";
import { Column } from "./column.js";
import { Connection } from "./connection.js";
import { duration, language, number, words } from "./language.js";
import { OVERLAYS, OverlayRoom } from "./overlay.js";
import { el, setText } from "./pieces.js";
import { GROUPS, expire, newRoom, receive } from "./room.js";
import { Tabs } from "./tabs.js";
import { startTheme } from "./theme.js";

const REPLAY = 50; // events to begin with, so that nobody starts before an empty page
const REST = 4; // times the cost of a drawing that the page rests after it: busy rooms leave the reader his computer
const REST_MIN_MS = 100; // the first line after a pause is drawn at once; more than ten times a second nobody can read
const REST_MAX_MS = 500;
const AT_REST = ["offline", "ended", "refused", "closed"];

const $ = (id) => document.getElementById(id);
const platforms = document.querySelector("meta[name=platforms]").content.split(/[\s,]+/).filter(Boolean);
const start = readAddress(location.search, platforms, [...GROUPS.keys()]);
const hidden = new Set(start.hidden);
const places = new Map(); // key of what was asked for -> {asked, room, view, subscription}

const socketUrl = new URL("ws", location.href);
socketUrl.protocol = socketUrl.protocol.replace("http", "ws");
socketUrl.search = new URLSearchParams({ lang: language });
const connection = new Connection(socketUrl, (state) => {
  link = state;
  drawLink();
});
let link = "none";
const now = () => Date.now() + connection.clockAheadMs;

// --- Drawing ---------------------------------------------------------------------------------------------------------

const changed = new Set(); // places to draw
let drawing = false;
let restUntil = 0;

function drawSoon(place) {
  changed.add(place);
  if (drawing) return;
  drawing = true;
  const rest = restUntil - performance.now();
  if (rest > 0) setTimeout(() => requestAnimationFrame(draw), rest);
  else requestAnimationFrame(draw);
}

function draw(began) {
  drawing = false;
  for (const place of changed) {
    changed.delete(place);
    place.view.draw();
  }
  tabs.draw(places);
  document.title = [...[...places.values()].map(({ view }) => view.title), "roomcast"].join(" · ");
  const ended = performance.now();
  restUntil = ended + Math.min(REST_MAX_MS, Math.max(REST_MIN_MS, REST * (ended - began)));
}

function drawSlowParts() {
  for (const place of places.values()) {
    expire(place.room, now());
    place.view.drawSlowly(now(), $("aloud").checked);
    drawSoon(place);
  }
  for (const group of GROUPS.keys()) {
    setText($(`told-${group}`), number([...places.values()].reduce((sum, { room }) => sum + room.told.get(group), 0)));
  }
  drawLink();
}

function drawLink() {
  $("link").dataset.link = link;
  setText($("link-state"), words.link[link]);
  const ping = link === "open" && connection.pingMs !== null ? [duration(connection.pingMs)] : [];
  setText($("ping"), [...ping, ...(connection.returns ? [words.returned(connection.returns)] : [])].join(" · "));
}

// --- Rooms come and go -----------------------------------------------------------------------------------------------

function enter(asked) {
  const { events, last, limits } = OVERLAYS[start.overlay] ?? { last: REPLAY };
  const room = newRoom(asked.room, { hidden, ...limits });
  const place = { asked, room };
  const tell = (frame) => {
    receive(room, frame, now());
    drawSoon(place);
  };
  place.view = start.overlay ? new OverlayRoom(room, $("lines")) : new Column(room, asked, {
    leave: () => leaveByHand(place),
    again: () => enterAgain(place),
    drawSoon: () => drawSoon(place),
  });
  place.subscription = connection.join({ ...asked, events, last }, {
    frame: tell,
    lost: () => tell({ status: "reconnecting", message: words.lost }),
    over: () => {
      if (!AT_REST.includes(room.state.name)) tell({ status: "closing", message: words.gone });
    },
  });
  places.set(asked.key, place);
  drawSoon(place);
  return place;
}

function leave({ asked, view, subscription }) {
  subscription.leave();
  view.remove();
  places.delete(asked.key);
}

function enterAgain(place) {
  place.subscription.leave();
  const { view } = enter(place.asked);
  place.view.element.replaceWith(view.element);
  place.view.remove();
  tabs.choose(place.asked.key);
  view.element.querySelector(".lines").focus();
}

function leaveByHand(place) {
  const beside = (place.view.element.nextElementSibling ?? place.view.element.previousElementSibling)?.querySelector(".leave");
  leave(place);
  keepInAddress();
  arrange();
  (beside ?? $("wanted")).focus();
}

/** Be in the rooms of the page's address, and in no others. */
function followAddress() {
  const { rooms } = readAddress(location.search, platforms);
  const wanted = new Set(rooms.map(({ key }) => key));
  for (const [key, place] of places) if (!wanted.has(key)) leave(place);
  for (const asked of rooms) if (!places.has(asked.key)) $("rooms").append(enter(asked).view.element);
  arrange();
  if (!rooms.length) $("wanted").focus();
}

function arrange() {
  if (!start.overlay) document.documentElement.dataset.view = places.size ? "rooms" : "welcome";
  $("rooms").dataset.count = places.size;
  if (!places.size) link = "none";
  tabs.draw(places);
  drawSlowParts();
}

function keepInAddress(how = "pushState") {
  const rooms = [...places.values()].map(({ asked }) => asked);
  const now = { rooms, hidden: [...hidden], language: readAddress(location.search, platforms).language };
  history[how](null, "", writeAddress(now, platforms));
  $("language").href = writeAddress({ ...now, language: language === "zh" ? "en" : "zh" }, platforms);
}

// --- What the reader does --------------------------------------------------------------------------------------------

const tabs = new Tabs($("tabs"), $("rooms"));

$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = readRoom($("wanted").value, platforms, $("platform").value);
  if (asked === null) return;
  if (places.size >= ROOMS_MAX && !places.has(asked.key)) {
    $("wanted").setCustomValidity(words.full(ROOMS_MAX));
    return void $("wanted").reportValidity();
  }
  if (!places.has(asked.key)) {
    $("rooms").append(enter(asked).view.element);
    keepInAddress();
    arrange();
  }
  tabs.choose(asked.key);
  places.get(asked.key).view.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  $("wanted").value = "";
  $("wanted").blur(); // takes the keyboard of a phone off the screen
});
$("wanted").addEventListener("input", () => $("wanted").setCustomValidity(""));

function hide() {
  document.documentElement.dataset.hide = [...hidden].join(" ");
}

for (const group of GROUPS.keys()) {
  const box = el("input");
  Object.assign(box, { type: "checkbox", checked: !hidden.has(group), value: group });
  box.addEventListener("change", () => {
    if (box.checked) hidden.delete(group);
    else hidden.add(group);
    hide();
    keepInAddress("replaceState");
    for (const place of places.values()) drawSoon(place);
  });
  const told = el("span", "told");
  Object.assign(told, { id: `told-${group}`, ariaHidden: "true" });
  $("filters").append(el("label", "chip", box, words.group[group], " ", told));
}
hide();

document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = words[element.dataset.label];
$("wanted").placeholder = $("wanted").ariaLabel = words.ask;
$("ping").title = words.ping;
$("language").lang = language === "zh" ? "en" : "zh";
for (const platform of platforms) $("platform").append(new Option(platform));
$("platform").hidden = platforms.length < 2;
startTheme($("dark"), () => {
  for (const { view } of places.values()) view.redraw();
});
if (start.overlay) Object.assign(document.documentElement.dataset, { view: "overlay", overlay: start.overlay });

addEventListener("popstate", followAddress);
addEventListener("online", () => connection.hurry());
setInterval(drawSlowParts, 1000);
followAddress();
if (!start.overlay) keepInAddress("replaceState");
