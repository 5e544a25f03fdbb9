// The same Redis channels for both servers: one subscription per room, and the entry's head cut off.
"use strict";
const Redis = require("ioredis");

exports.rooms = (redisUrl, channelOf, deliver) => {
  const redis = new Redis(redisUrl);
  const subscribed = new Map(); // channel -> room
  redis.on("smessageBuffer", (channel, entry) => {
    let start = 0;
    for (let i = 0; i < 3; i++) start = entry.indexOf(32, start) + 1;
    deliver(subscribed.get(channel.toString()), entry.subarray(start));
  });
  return (room) => {
    const channel = channelOf.replace("%s", room);
    if (!subscribed.has(channel)) {
      subscribed.set(channel, room);
      redis.ssubscribe(channel);
    }
  };
};
