/** node main.js ws://localhost:8000 tiktok:@demo: prints what is said in rooms until all of them are over. */

import { parseArgs } from "node:util";

import { lineOf } from "./line.js";
import { Roomcast } from "./roomcast.js";

const { values, positionals: [url, ...rooms] } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean" }, // one JSON object per line
    events: { type: "string" }, // only these: chat,gift
    last: { type: "string" }, // begin with so many of the latest events
    wait: { type: "boolean" }, // for rooms that are not live yet
    lang: { type: "string", default: "en" },
  },
});
if (rooms.length === 0) {
  console.error("usage: node main.js [--json] [--events=chat,gift] [--last=20] [--wait] [--lang=zh] URL ROOM ...");
  process.exit(2);
}

// Nicknames and comments may hold control characters, which a terminal obeys.
const say = (text, to = process.stdout) => to.write(`${text.replace(/\p{Cc}/gu, " ")}\n`);
const print = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);

const WebSocket = globalThis.WebSocket ?? (await import("ws")).default;
const client = new Roomcast(url, { lang: values.lang, WebSocket });
const listener = {
  event(event, room) {
    if (values.json) return print(event);
    const line = lineOf(event);
    if (line) say(`${room.asked}  ${line}`);
  },
  state({ name, text }, room) {
    say(`${room.asked}  ${name} ${text}`, process.stderr);
  },
  over({ code, text }, room) {
    say(`${room.asked}  over: ${code} ${text}`, process.stderr);
    if (values.json) print({ over: room.asked, code });
  },
};
const options = {
  events: values.events?.split(","),
  last: values.last === undefined ? undefined : Number(values.last),
  wait: values.wait,
};
for (const room of rooms) client.join(room, listener, options);
process.once("SIGINT", () => client.close());
