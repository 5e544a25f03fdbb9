import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import roomcast.Client;
import roomcast.Event;
import roomcast.Message;
import roomcast.Room;

/** Prints what happens in live rooms. */
public final class Watch {
    private static final String USAGE =
            "usage: Watch [--json] [--lang en] [--events chat,gift] [--last 20] [--wait] [--ping SECONDS]"
                    + " [--timeout SECONDS] ADDRESS ROOM...";

    // As UTF-8, whatever the locale says.
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final PrintStream ERR =
            new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);

    private Watch() {}

    public static void main(String[] arguments) throws InterruptedException {
        boolean json = false;
        boolean wait = false;
        String lang = "en";
        String events = "";
        int last = 0;
        Duration ping = Client.Options.DEFAULT.ping();
        Duration timeout = Client.Options.DEFAULT.timeout();
        List<String> places = new ArrayList<>();
        try {
            for (int at = 0; at < arguments.length; at++) {
                switch (arguments[at]) {
                    case "--json" -> json = true;
                    case "--wait" -> wait = true;
                    case "--lang" -> lang = arguments[++at];
                    case "--events" -> events = arguments[++at];
                    case "--last" -> last = Integer.parseInt(arguments[++at]);
                    case "--ping" -> ping = seconds(arguments[++at]);
                    case "--timeout" -> timeout = seconds(arguments[++at]);
                    default -> places.add(arguments[at]);
                }
            }
        } catch (ArrayIndexOutOfBoundsException | NumberFormatException wrong) {
            places.clear();
        }
        if (places.size() < 2) {
            ERR.println(USAGE);
            System.exit(2);
        }

        Client client = new Client(places.get(0), new Client.Options(lang, ping, timeout));
        for (String place : places.subList(1, places.size())) {
            Room room = Room.parse(place).last(last);
            room = events.isEmpty() ? room : room.events(events.split(","));
            try {
                client.subscribe(wait ? room.waiting() : room);
            } catch (IllegalArgumentException wrong) {
                ERR.println(wrong.getMessage());
                System.exit(2);
            }
        }
        Thread running = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> leave(client, running)));
        boolean asJson = json;
        client.run(message -> show(message, asJson));
    }

    private static Duration seconds(String text) {
        return Duration.ofMillis((long) (Double.parseDouble(text) * 1000));
    }

    /** Takes leave before the program is ended from outside. */
    private static void leave(Client client, Thread running) {
        client.close();
        try {
            running.join();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private static void show(Message message, boolean asJson) {
        if (message instanceof Event event) {
            String line = asJson ? event.base().json() : printable(sentence(event));
            if (asJson ? !event.base().cursor().isEmpty() : !line.isEmpty()) {
                OUT.println(asJson ? line : event.base().room() + " " + line);
            }
        } else if (message instanceof Message.Notice notice) {
            ERR.println(printable(words(notice)));
        }
    }

    private static String sentence(Event event) {
        if (event instanceof Event.Chat chat) {
            return chat.user().nickname() + ": " + chat.content();
        } else if (event instanceof Event.Gift gift && gift.delta() > 0) {
            return gift.user().nickname() + " gives " + gift.delta() + " x " + gift.name();
        } else if (event instanceof Event.Follow follow) {
            return follow.user().nickname() + " follows";
        } else if (event instanceof Event.Share share) {
            return share.user().nickname() + " shares";
        } else if (event instanceof Event.RoomStats stats) {
            return stats.viewerCount() + " viewers";
        }
        return "";
    }

    private static String words(Message.Notice notice) {
        if (notice instanceof Message.Status it) {
            return it.place() + " " + it.status() + ": " + it.text();
        } else if (notice instanceof Message.Problem it) {
            return it.place() + " problem " + it.code() + ": " + it.text() + " " + it.detail();
        } else if (notice instanceof Message.Recovered it) {
            return it.place() + " recovered complete=" + it.complete() + " count=" + it.count();
        } else if (notice instanceof Message.Gap it) {
            return it.place() + " gap " + it.reason() + ": " + it.after() + " to " + it.before();
        } else if (notice instanceof Message.Dropped it) {
            return it.place() + " dropped " + it.count();
        } else if (notice instanceof Message.Over it) {
            return it.place() + " over " + it.code() + ": " + it.text();
        } else if (notice instanceof Message.Lost it) {
            return "connection lost, next try in " + it.retry().toMillis() + " ms: " + it.why();
        }
        return "";
    }

    /** Takes out what would steer the terminal: names and texts are strangers'. */
    private static String printable(String text) {
        return text.codePoints()
                .filter(point -> !Character.isISOControl(point) && Character.getType(point) != Character.FORMAT)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
