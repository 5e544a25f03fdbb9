package roomcast;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What to listen to, and how.
 *
 * @param platform tiktok, douyin ...
 * @param name an id, @name or link
 * @param since go on behind this cursor, if not empty
 * @param last or begin with so many of the latest events
 * @param events only these types; all if empty
 * @param waits stay while the room is not live
 */
public record Room(String platform, String name, String since, int last, List<String> events, boolean waits) {
    public Room(String platform, String name) {
        this(platform, name, "", 0, List.of(), false);
    }

    /** Reads {@code platform:room}; without a platform the room is TikTok's. */
    public static Room parse(String text) {
        int colon = text.indexOf(':');
        return colon < 0 || text.startsWith("//", colon + 1)
                ? new Room("tiktok", text)
                : new Room(text.substring(0, colon), text.substring(colon + 1));
    }

    public Room since(String cursor) {
        return new Room(platform, name, cursor, last, events, waits);
    }

    public Room last(int count) {
        return new Room(platform, name, since, count, events, waits);
    }

    public Room events(String... types) {
        return new Room(platform, name, since, last, List.of(types), waits);
    }

    public Room waiting() {
        return new Room(platform, name, since, last, events, true);
    }

    /** The command that asks for it, behind what is known of it already. */
    String subscribe(int id, String cursor) {
        Map<String, Object> command = new LinkedHashMap<>();
        command.put("action", "subscribe");
        command.put("id", id);
        command.put("platform", platform);
        command.put("room", name);
        if (!cursor.isEmpty()) {
            command.put("since", cursor);
        } else if (last > 0) {
            command.put("last", last);
        }
        if (!events.isEmpty()) {
            command.put("events", events);
        }
        if (waits) {
            command.put("wait", true);
        }
        return Json.write(command);
    }

    String unsubscribe(int id) {
        return Json.write(Map.of("action", "unsubscribe", "id", id, "platform", platform, "room", name));
    }
}
