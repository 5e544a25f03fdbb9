/** index.html?url=ws://localhost:8000&room=tiktok:@demo&room=...: shows what is said in rooms. `&json` logs events. */

import { lineOf } from "./line.js";
import { Roomcast } from "./roomcast.js";

const LINES_MAX = 200;

const query = new URLSearchParams(location.search);
const lines = document.querySelector("#lines");

function show(text, kind) {
  const item = document.createElement("li");
  item.textContent = text; // never innerHTML: nicknames and comments are anybody's
  item.className = kind;
  lines.append(item);
  while (lines.childElementCount > LINES_MAX) lines.firstElementChild.remove();
  item.scrollIntoView();
}

const client = new Roomcast(query.get("url") ?? "ws://localhost:8000", { lang: query.get("lang") ?? "en" });
const listener = {
  event(event, room) {
    if (query.has("json")) console.log(JSON.stringify(event));
    const line = lineOf(event);
    if (line) show(`${room.asked}  ${line}`, event.type);
  },
  state({ name, text }, room) {
    show(`${room.asked}  ${name} ${text}`, "state");
  },
  over({ code, text }, room) {
    show(`${room.asked}  over: ${code} ${text}`, "state");
    if (query.has("json")) console.log(JSON.stringify({ over: room.asked, code }));
  },
};
const rooms = query.getAll("room");
for (const room of rooms.length > 0 ? rooms : ["tiktok:@demo"]) {
  client.join(room, listener, { events: query.get("events")?.split(","), last: Number(query.get("last") ?? 20) });
}
addEventListener("online", () => client.hurry());
