/**
 * The page's own address: which rooms, in what form. Pure; what the page keeps is kept here, so that a link is enough.
 *
 * `?room=@demo&room=douyin/728804746624` are rooms side by side, `&hide=join,notice` leaves out groups of events, and
 * `?overlay=chat&room=@demo` is the page for streaming software. A `platform=` is that of the rooms that name none.
 */

export const ROOMS_MAX = 12; // more columns than anybody can read
export const OVERLAYS = ["chat", "gifts"];

/**
 * @param search the query of an address.
 * @param platforms all there are; the first one is meant when nothing names one.
 * @param groups that may be hidden.
 * @returns {rooms: [{platform, room, key}], overlay, hidden, language}; "" where nothing was asked for.
 */
export function readAddress(search, platforms, groups = []) {
  const query = new URLSearchParams(search);
  const fallback = platforms.includes(query.get("platform")) ? query.get("platform") : platforms[0];
  const rooms = new Map();
  for (const text of query.getAll("room")) {
    const room = readRoom(text, platforms, fallback);
    if (room && rooms.size < ROOMS_MAX && !rooms.has(room.key)) rooms.set(room.key, room);
  }
  const hidden = (query.get("hide") ?? "").split(",").filter((group) => groups.includes(group));
  const overlay = OVERLAYS.includes(query.get("overlay")) ? query.get("overlay") : "";
  return { rooms: [...rooms.values()], overlay, hidden, language: query.get("lang") ?? "" };
}

/** What somebody typed, or a link holds: `@name`, `platform/room`, a link to a room's page. Null for nothing. */
export function readRoom(text, platforms, fallback) {
  const room = text.trim();
  if (room === "") return null;
  const [, prefix, rest] = /^([^/]+)\/(.+)$/s.exec(room) ?? [];
  if (platforms.includes(prefix)) return { platform: prefix, room: rest, key: `${prefix}/${rest}` };
  const host = /\bhttps?:\/\/([^\s/]+)/i.exec(room)?.[1].toLowerCase().split(".") ?? [];
  const platform = platforms.find((name) => host.includes(name)) ?? fallback;
  return { platform, room, key: `${platform}/${room}` };
}

/** The query that `readAddress` reads; rooms of the first platform go without its name. */
export function writeAddress({ rooms, overlay = "", hidden = [], language = "" }, platforms) {
  const query = new URLSearchParams();
  if (overlay) query.append("overlay", overlay);
  for (const { platform, room, key } of rooms) query.append("room", platform === platforms[0] ? room : key);
  if (hidden.length) query.append("hide", hidden.join(","));
  if (language) query.append("lang", language);
  // These are allowed in a query, and a link with them can be read.
  return `?${query}`.replaceAll("%40", "@").replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
}
