package roomcast;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.BiConsumer;

/** One WebSocket: whole texts in, one at a time, and texts out in order. It calls back on threads of the JDK's. */
final class Connection implements WebSocket.Listener {
    private static final int FRAME_MAX_CHARS = 1 << 20; // an event has 64 KiB at most

    private final BiConsumer<Connection, String> onText;
    private final BiConsumer<Connection, String> onLoss;
    private final StringBuilder text = new StringBuilder();
    private WebSocket socket;
    private CompletableFuture<?> sent = CompletableFuture.completedFuture(null);

    /**
     * @param onText is given each text; the next one comes after {@link #more}
     * @param onLoss is told why, once or more often
     */
    Connection(BiConsumer<Connection, String> onText, BiConsumer<Connection, String> onLoss) {
        this.onText = onText;
        this.onLoss = onLoss;
    }

    void open(HttpClient http, URI address, Duration timeout) throws IOException, InterruptedException {
        try {
            socket = http.newWebSocketBuilder().connectTimeout(timeout).buildAsync(address, this).get();
        } catch (ExecutionException failure) {
            throw new IOException(failure.getCause());
        }
    }

    void more() {
        socket.request(1);
    }

    void send(String what) {
        sent = sent.thenCompose(before -> socket.sendText(what, true));
        sent.whenComplete((done, failure) -> {
            if (failure != null) {
                onLoss.accept(this, String.valueOf(failure.getMessage()));
            }
        });
    }

    void abort() {
        if (socket != null) {
            socket.abort();
        }
    }

    @Override
    public void onOpen(WebSocket opened) {
        // Nothing is asked for yet: `open` has to return first.
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
        if (text.length() + part.length() > FRAME_MAX_CHARS) {
            onLoss.accept(this, "a frame was too large");
            return null;
        }
        text.append(part);
        if (last) {
            onText.accept(this, text.toString());
            text.setLength(0);
        } else {
            from.request(1);
        }
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
        onLoss.accept(this, "closed " + code + " " + reason);
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable failure) {
        onLoss.accept(this, String.valueOf(failure));
    }
}
