package roomcast;

import java.time.Duration;
import java.util.Map;

/** What {@link Client#run} hands over: an event, or one of these. */
public sealed interface Message permits Event, Message.Notice {
    /** Anything that is no event. */
    sealed interface Notice extends Message {}

    /** Which room it is about: as it was asked for, and the canonical one, empty until it is known. */
    record Place(String platform, String asked, String room) {
        /** The connection as a whole. */
        static final Place CONNECTION = new Place("", "", "");

        @Override
        public String toString() {
            return asked.isEmpty() ? "connection" : platform + ":" + asked;
        }
    }

    /** How far a room is: connecting, connected, reconnecting, waiting ... */
    record Status(Place place, String status, String text, String code) implements Notice {}

    /** An error that ends nothing. */
    record Problem(Place place, String code, String text, String detail) implements Notice {}

    /** The answer to a return with a cursor: so many events follow, and nothing is missing if it is complete. */
    record Recovered(Place place, boolean complete, long count) implements Notice {}

    /** Events are missing between two cursors. After the reason {@code rewound} events may come again. */
    record Gap(Place place, String after, String before, String reason) implements Notice {}

    /** Events were left out, because this client reads too slowly. */
    record Dropped(Place place, long count, Map<String, Long> byType) implements Notice {}

    /** A room is over for good: ended, offline, not_found ... The cursor is where it had come to. */
    record Over(Place place, String code, String text, String cursor) implements Notice {}

    /** There is no connection. The next one goes on where this one was. */
    record Lost(String why, Duration retry) implements Notice {}
}
