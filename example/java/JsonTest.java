import java.util.Arrays;
import java.util.List;
import java.util.Map;
import roomcast.Json;

/** What the parser reads and refuses: {@code java -cp build JsonTest.java}. */
public final class JsonTest {
    private JsonTest() {}

    public static void main(String[] arguments) {
        reads("0", 0L);
        reads("-0", 0L);
        reads(" 9007199254740993 ", 9007199254740993L);
        reads("-9223372036854775808", Long.MIN_VALUE);
        reads("9223372036854775808", 9223372036854775808.0);
        reads("0.5", 0.5);
        reads("-1.25e+2", -125.0);
        reads("2E-1", 0.2);
        reads("1e400", Double.POSITIVE_INFINITY);
        reads("true", true);
        reads("\tfalse\r\n", false);
        reads("null", null);
        reads("\"\"", "");
        reads("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
        reads("\"\\u00e9\\u4F60\\ud83e\\udd8a\"", "\u00e9\u4f60\ud83e\udd8a");
        reads("\"\u00e9\u4f60\ud83e\udd8a\u2028\u007f\"", "\u00e9\u4f60\ud83e\udd8a\u2028\u007f");
        reads("\"\\ud83e\"", "\ud83e");
        reads("[]", List.of());
        reads(" [ 1 , \"a\" , [ ] ] ", List.of(1L, "a", List.of()));
        reads("[null]", Arrays.asList((Object) null));
        reads("{}", Map.of());
        reads(" { \"a\" : { \"b\" : [ 1.5 ] } , \"\" : 2 } ", Map.of("a", Map.of("b", List.of(1.5)), "", 2L));
        reads("{\"a\":1,\"a\":2}", Map.of("a", 2L));
        reads("[".repeat(64) + "]".repeat(64), nested(64));

        refuses(
                "", " ", "nul", "nulll", "True", "NaN", "Infinity", "+1", "-", "01", "-01", "1.", ".5", "1e", "1e+",
                "0x1", "1 2", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u\uff11234\"", "\"\n\"",
                "'a'", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
                "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "}", "[}", "\u00a01", "\ufeff1",
                "[".repeat(65) + "]".repeat(65), "[".repeat(1_000_000), "{\"a\":".repeat(100_000));

        writes(Map.of(), "{}");
        writes(List.of(1, "a", List.of(), true), "[1,\"a\",[],true]");
        writes(Map.of("a", List.of(Map.of("b", 2L))), "{\"a\":[{\"b\":2}]}");
        writes(null, "null");
        writes("\"\\\n\u0000\u00e9\ud83e\udd8a", "\"\\\"\\\\\\u000a\\u0000\u00e9\\ud83e\\udd8a\"");
        for (char any = 0; any < Character.MAX_VALUE; any++) {
            expect(String.valueOf(any), Json.parse(Json.write(String.valueOf(any))), "written and read");
        }
        System.out.println("all as it should be");
    }

    private static Object nested(int depth) {
        return depth == 1 ? List.of() : List.of(nested(depth - 1));
    }

    private static void reads(String text, Object value) {
        expect(value, Json.parse(text), text);
    }

    private static void refuses(String... texts) {
        for (String text : texts) {
            Object value;
            try {
                value = Json.parse(text);
            } catch (Json.Malformed expected) {
                continue;
            }
            throw new AssertionError(text + " was read as " + value);
        }
    }

    private static void writes(Object value, String text) {
        expect(text, Json.write(value), "written");
    }

    private static void expect(Object wanted, Object got, String what) {
        if (wanted == null ? got != null : !wanted.equals(got)) {
            throw new AssertionError(what + ": " + got + ", not " + wanted);
        }
    }
}
