// `ws` with ioredis: node ws.js PORT REDIS_URL CHANNEL
"use strict";
const { WebSocketServer } = require("ws");
const { rooms } = require("./rooms");
const [port, redisUrl, channelOf] = process.argv.slice(2);

const members = new Map(); // room -> clients
const join = rooms(redisUrl, channelOf, (room, json) => {
  for (const client of members.get(room) ?? []) client.send(json, { binary: false });
});
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port), perMessageDeflate: false, backlog: 2048 });
server.on("connection", (client, request) => {
  const room = request.url.split("/")[2];
  if (!members.has(room)) members.set(room, new Set());
  members.get(room).add(client);
  join(room);
  client.on("close", () => members.get(room).delete(client));
  client.on("error", () => {});
});
