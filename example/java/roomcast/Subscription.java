package roomcast;

/** A room that is listened to, and how far it has come. */
final class Subscription {
    final Room room;
    String cursor;
    int id = -1; // of the command that asked for it
    boolean asked; // on this connection
    String key = ""; // as the gateway writes what was asked for: platform:room
    String target = ""; // the canonical room, if that is another
    int failures; // in a row
    long retryAt; // when it is asked for again, if it is not

    Subscription(Room room) {
        this.room = room;
        this.cursor = room.since();
    }

    String canonical() {
        return target.isEmpty() ? key : target;
    }

    Message.Place place() {
        return new Message.Place(room.platform(), room.name(), canonical().substring(canonical().indexOf(':') + 1));
    }

    boolean isCalled(String name) {
        return asked && (name.equals(key) || name.equals(target));
    }

    boolean isSame(Room other) {
        return room.platform().equals(other.platform()) && room.name().equals(other.name());
    }

    void reach(String place) {
        if (!place.isEmpty()) {
            cursor = place;
        }
    }

    /** The name points to this room. A cursor belongs to one room. */
    void move(String to) {
        if (!target.isEmpty() && !target.equals(to)) {
            cursor = "";
        }
        target = to;
    }
}
