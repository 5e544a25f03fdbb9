package roomcast;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/**
 * Listens to rooms of one gateway, or of many behind one address, and goes on after any loss.
 *
 * <p>All state belongs to the thread in {@link #run}; the other methods may be called from any.
 */
public final class Client {
    private static final long RETRY_MIN_MS = 500;
    private static final long RETRY_MAX_MS = 30_000;
    private static final long RETRY_TOLD_MAX_MS = 600_000; // a gateway may ask for a longer pause, but not for any

    /** Characters of a room; a gateway closes the whole connection for a command that is far too long. */
    private static final int ROOM_MAX = 512;

    /** Errors that end nothing, although asking again would not help. */
    private static final Set<String> STAYS = Set.of("bad_option", "bad_cursor", "bad_command", "not_subscribed");

    private final URI address;
    private final Options options;
    private final HttpClient http;
    private final BlockingQueue<Runnable> inbox = new LinkedBlockingQueue<>(); // of frames it holds one at most
    private final List<Subscription> rooms = new ArrayList<>(); // in the order they were asked for
    private Consumer<Message> handler;
    private Connection connection; // null while there is none
    private String loss = "";
    private int ids; // of commands, so far
    private int attempt; // at a connection, in a row
    private long told; // how many ms the gateway wants us to stay away
    private Fields refusal; // why coming back makes no sense
    private boolean leaving; // the gateway was asked to close
    private boolean closed; // by `close`
    private long pingAt;
    private long silentAt; // when silence means that the connection is dead: each ping is answered

    /**
     * @param lang of texts: zh, en
     * @param ping between two signs of life
     * @param timeout for opening, and for the answer to a ping
     */
    public record Options(String lang, Duration ping, Duration timeout) {
        public static final Options DEFAULT = new Options("zh", Duration.ofSeconds(20), Duration.ofSeconds(10));
    }

    /** A client for an address like {@code ws://localhost:8000}. It does nothing before {@link #run}. */
    public Client(String address, Options options) {
        this.address = URI.create(address.replaceAll("/+$", "") + "/ws?lang=" + options.lang());
        this.options = options;
        this.http = HttpClient.newBuilder().connectTimeout(options.timeout()).build();
    }

    /**
     * Adds a room; one that is there already stays as it is.
     *
     * @throws IllegalArgumentException if its name has more than 512 characters
     */
    public void subscribe(Room room) {
        if (room.name().codePointCount(0, room.name().length()) > ROOM_MAX) {
            throw new IllegalArgumentException("a room has at most " + ROOM_MAX + " characters");
        }
        inbox.add(() -> {
            if (rooms.stream().noneMatch(held -> held.isSame(room))) {
                Subscription added = new Subscription(room);
                rooms.add(added);
                ask(added);
            }
        });
    }

    /** Gives a room up; after the last one {@link #run} returns. */
    public void unsubscribe(Room room) {
        inbox.add(() -> {
            if (rooms.removeIf(held -> held.isSame(room)) && connection != null) {
                connection.send(room.unsubscribe(++ids));
            }
        });
    }

    /** Takes leave of the gateway; {@link #run} then returns. */
    public void close() {
        inbox.add(() -> closed = true);
    }

    /**
     * Listens, and comes back after every loss, until all rooms are over or {@link #close} is called. Messages are
     * handled one after the other: who takes long is told less, see {@link Message.Dropped}.
     */
    public void run(Consumer<Message> handle) throws InterruptedException {
        handler = handle;
        while (!inbox.isEmpty()) {
            inbox.take().run();
        }
        try {
            while (!isDone()) {
                serve();
                if (isDone()) {
                    return;
                }
                if (refusal != null) {
                    List<Subscription> all = List.copyOf(rooms);
                    all.forEach(room -> end(room, refusal));
                    return;
                }
                long delay = delay(attempt++, told);
                handler.accept(new Message.Lost(loss, Duration.ofMillis(delay)));
                long until = System.nanoTime() + MILLISECONDS.toNanos(delay);
                while (!isDone() && System.nanoTime() < until) {
                    turn(until);
                }
            }
        } finally {
            if (connection != null) {
                connection.abort();
            }
        }
    }

    private boolean isDone() {
        return closed || rooms.isEmpty();
    }

    /** One connection, from its opening to its loss. */
    private void serve() throws InterruptedException {
        told = 0;
        refusal = null;
        leaving = false;
        Connection opened = new Connection(
                (from, text) -> inbox.add(() -> onText(from, text)), (from, why) -> inbox.add(() -> onLoss(from, why)));
        try {
            opened.open(http, address, options.timeout());
        } catch (IOException failure) {
            loss = failure.getMessage();
            return;
        }
        connection = opened;
        rooms.forEach(this::ask);
        pingAt = System.nanoTime() + options.ping().toNanos();
        listen();
        while (connection != null) {
            if (isDone() && !leaving) {
                leaving = true;
                connection.send("{\"action\":\"close\"}");
                silentAt = System.nanoTime() + options.timeout().toNanos();
            }
            long next = Math.min(pingAt, silentAt);
            for (Subscription room : rooms) {
                next = room.asked ? next : Math.min(next, room.retryAt);
            }
            boolean quiet = !turn(next);
            if (connection != null) {
                onTime(quiet);
            }
        }
    }

    /** Does the next thing that comes, if one does until then. */
    private boolean turn(long until) throws InterruptedException {
        Runnable next = inbox.poll(until - System.nanoTime(), NANOSECONDS);
        if (next != null) {
            next.run();
        }
        return next != null;
    }

    private void onTime(boolean quiet) {
        long now = System.nanoTime();
        if (now >= pingAt) {
            connection.send("{\"type\":\"ping\"}");
            pingAt = now + options.ping().toNanos();
        }
        for (Subscription room : rooms) {
            if (!room.asked && now >= room.retryAt) {
                ask(room);
            }
        }
        if (quiet && now >= silentAt) {
            onLoss(connection, "the gateway is silent");
        }
    }

    private void listen() {
        connection.more();
        if (!leaving) { // which has an end, however much is told yet
            silentAt = System.nanoTime() + options.ping().toNanos() + options.timeout().toNanos();
        }
    }

    private void onText(Connection from, String text) {
        if (from != connection) {
            return;
        }
        try {
            onFrame(Fields.of(Json.parse(text)), text);
        } catch (Json.Malformed noFrame) {
            // nothing that we could understand
        }
        listen();
    }

    private void onLoss(Connection from, String why) {
        if (from == connection) {
            loss = why;
            connection.abort();
            connection = null;
            rooms.forEach(room -> room.asked = false);
        }
    }

    private void onFrame(Fields frame, String text) {
        String type = frame.text("type");
        String status = frame.text("status");
        if (type.equals("pong")) {
            attempt = 0;
            rooms.forEach(room -> room.reach(frame.object("cursors").text(room.canonical())));
            return;
        }
        Subscription room = find(frame);
        if (status.equals("closing") || frame.has("error")) {
            onEnd(room, frame);
        } else if (room == null) {
            return; // it was given up
        } else if (!status.isEmpty()) {
            if (room.cursor.isEmpty()) {
                room.reach(frame.text("cursor"));
            }
            tell(new Message.Status(room.place(), status, frame.text("message"), frame.text("code")));
        } else {
            onRoom(room, type, frame, text);
        }
    }

    private void onRoom(Subscription room, String type, Fields frame, String text) {
        switch (type) {
            case "subscribed" -> room.key = frame.text("platform") + ":" + frame.text("room");
            case "target" -> room.move(frame.text("platform") + ":" + frame.text("target"));
            case "recovered" ->
                    tell(new Message.Recovered(room.place(), frame.flag("recovered"), frame.number("count")));
            case "dropped" ->
                    tell(new Message.Dropped(room.place(), frame.number("count"), frame.numbers("by_type")));
            case "gap" -> {
                room.reach(frame.text("cursor"));
                tell(new Message.Gap(room.place(), frame.text("after"), frame.text("before"), frame.text("reason")));
            }
            case "", "unsubscribed", "subscriptions" -> {}
            default -> {
                room.reach(frame.text("cursor"));
                room.failures = 0;
                attempt = 0;
                tell(Event.of(frame, text));
            }
        }
    }

    /** What may be the end of a room, or of the connection. */
    private void onEnd(Subscription room, Fields frame) {
        boolean closing = !frame.has("error");
        String code = frame.text("code");
        boolean isOver = !frame.flag("reconnect") && !STAYS.contains(code);
        if (room == null) {
            if (frame.has("room") || frame.has("id")) {
                return; // of a room that was given up
            }
            if (isOver && !code.equals("requested")) {
                refusal = frame;
            }
            told = frame.number("retry_in_ms");
            if (!closing) {
                tell(new Message.Problem(Message.Place.CONNECTION, code, text(frame), frame.text("detail")));
            }
            return;
        }
        if (code.equals("bad_cursor")) {
            room.cursor = "";
        }
        if (isOver) {
            room.reach(frame.text("cursor"));
            end(room, frame);
            return;
        }
        if (closing || code.equals("internal")) { // over as well, but it can be had again
            room.asked = false;
            long delay = delay(room.failures++, frame.number("retry_in_ms"));
            room.retryAt = System.nanoTime() + MILLISECONDS.toNanos(delay);
        }
        tell(new Message.Problem(room.place(), code, text(frame), frame.text("detail")));
    }

    private void end(Subscription room, Fields why) {
        rooms.remove(room);
        tell(new Message.Over(room.place(), why.text("code"), text(why), room.cursor));
    }

    /** The subscription that a frame answers, or whose room it names. */
    private Subscription find(Fields frame) {
        String key = frame.text("platform") + ":" + frame.text("room");
        for (Subscription room : rooms) {
            if (frame.has("id") && frame.number("id") == room.id) {
                return room;
            }
        }
        return rooms.stream().filter(room -> room.isCalled(key)).findFirst().orElse(null);
    }

    private void ask(Subscription room) {
        if (connection != null && !room.asked) {
            room.id = ++ids;
            room.asked = true;
            connection.send(room.room.subscribe(room.id, room.cursor));
        }
    }

    private void tell(Message message) {
        handler.accept(message);
    }

    private static String text(Fields frame) {
        return frame.has("error") ? frame.text("error") : frame.text("message");
    }

    /** How long to wait: longer each time, never the same for all who wait, never less than told. */
    private static long delay(int attempt, long told) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        long limit = Math.min(RETRY_MAX_MS, RETRY_MIN_MS << Math.min(attempt, 6));
        long delay = limit / 2 + random.nextLong(limit / 2);
        long asked = Math.min(told, RETRY_TOLD_MAX_MS);
        return asked > delay ? asked + random.nextLong(RETRY_MIN_MS) : delay;
    }
}
