// Socket.IO, WebSocket transport only: node socketio.js PORT REDIS_URL CHANNEL
"use strict";
const http = require("http");
const { Server } = require("socket.io");
const { rooms } = require("./rooms");
const [port, redisUrl, channelOf] = process.argv.slice(2);

const server = http.createServer();
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
const join = rooms(redisUrl, channelOf, (room, json) => io.to(room).emit("event", json.toString()));
io.on("connection", (socket) => {
  socket.join(socket.handshake.query.room);
  join(socket.handshake.query.room);
});
server.listen({ host: "127.0.0.1", port: Number(port), backlog: 2048 });
