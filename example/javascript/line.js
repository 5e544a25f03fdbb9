/** An event as a line of text; undefined if it is none that people want to read. */
export function lineOf(event) {
  switch (event.type) {
    case "chat":
      return `${event.user.nickname}: ${event.content}`;
    case "gift":
      return event.delta > 0 ? `${event.user.nickname} gives ${event.delta} x ${event.gift.name}` : undefined;
    case "gap":
      return `(events are missing: ${event.reason})`;
  }
}
