package roomcast;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as RFC 8259 has it. Objects are maps, arrays lists, numbers {@code Long} where they are whole and fit, otherwise
 * {@code Double}; {@code null} is null. Of equal keys the last one counts.
 */
public final class Json {
    private static final int DEPTH_MAX = 64; // a gateway's frames have about 6; deeper ones would use up the stack

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /** Something that is no JSON, or nested too deeply. */
    public static final class Malformed extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        Malformed(String what, int at) {
            super(what + " at character " + at);
        }
    }

    /**
     * Reads a text that holds one value.
     *
     * @throws Malformed if it does not
     */
    public static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        if (json.at < text.length()) {
            throw json.malformed("something behind the value");
        }
        return value;
    }

    /** Writes maps, lists, strings, numbers, booleans and null. */
    public static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private Object value() {
        space();
        char next = peek();
        switch (next) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        enter();
        if (!took('}')) {
            do {
                space();
                String key = string();
                if (!took(':')) {
                    throw malformed("no colon");
                }
                members.put(key, value());
            } while (took(','));
            if (!took('}')) {
                throw malformed("no end of the object");
            }
        }
        depth--;
        return members;
    }

    private List<Object> array() {
        List<Object> items = new ArrayList<>();
        enter();
        if (!took(']')) {
            do {
                items.add(value());
            } while (took(','));
            if (!took(']')) {
                throw malformed("no end of the array");
            }
        }
        depth--;
        return items;
    }

    private String string() {
        if (peek() != '"') {
            throw malformed("no string");
        }
        at++;
        StringBuilder out = new StringBuilder();
        while (true) {
            char next = peek();
            at++;
            if (next == '"') {
                return out.toString();
            } else if (next < ' ') {
                throw malformed("a control character");
            }
            out.append(next == '\\' ? escaped() : next);
        }
    }

    private char escaped() {
        char kind = peek();
        at++;
        switch (kind) {
            case '"', '\\', '/':
                return kind;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int code = 0;
                for (int digits = 0; digits < 4; digits++, at++) {
                    char digit = peek();
                    if (digit >= 128 || Character.digit(digit, 16) < 0) {
                        throw malformed("no hexadecimal digit");
                    }
                    code = code * 16 + Character.digit(digit, 16);
                }
                return (char) code;
            default:
                throw malformed("an unknown escape");
        }
    }

    private Number number() {
        int start = at;
        skip('-');
        if (!skip('0') && digits() == 0) {
            throw malformed("no value");
        }
        boolean whole = true;
        if (skip('.')) {
            whole = false;
            if (digits() == 0) {
                throw malformed("no digit");
            }
        }
        if (skip('e') || skip('E')) {
            whole = false;
            if (!skip('+')) {
                skip('-');
            }
            if (digits() == 0) {
                throw malformed("no digit");
            }
        }
        String digits = text.substring(start, at);
        if (whole) {
            try {
                return Long.valueOf(digits);
            } catch (NumberFormatException tooLarge) {
                // as other numbers, then
            }
        }
        return Double.valueOf(digits);
    }

    private int digits() {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at - start;
    }

    private Object word(String word, Object meaning) {
        if (!text.startsWith(word, at)) {
            throw malformed("no value");
        }
        at += word.length();
        return meaning;
    }

    private void enter() {
        at++;
        if (++depth > DEPTH_MAX) {
            throw malformed("too deep");
        }
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean took(char wanted) {
        space();
        return skip(wanted);
    }

    private boolean skip(char wanted) {
        if (at < text.length() && text.charAt(at) == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private char peek() {
        if (at >= text.length()) {
            throw malformed("an early end");
        }
        return text.charAt(at);
    }

    private Malformed malformed(String what) {
        return new Malformed(what, at);
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> members) {
            String before = "{";
            for (Map.Entry<?, ?> member : members.entrySet()) {
                out.append(before);
                quote(String.valueOf(member.getKey()), out);
                out.append(':');
                write(member.getValue(), out);
                before = ",";
            }
            out.append(members.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> items) {
            out.append('[');
            for (int index = 0; index < items.size(); index++) {
                out.append(index == 0 ? "" : ",");
                write(items.get(index), out);
            }
            out.append(']');
        } else if (value instanceof String string) {
            quote(string, out);
        } else {
            out.append(value);
        }
    }

    private static void quote(String string, StringBuilder out) {
        out.append('"');
        for (char next : string.toCharArray()) {
            if (next == '"' || next == '\\') {
                out.append('\\').append(next);
            } else if (next < ' ' || Character.isSurrogate(next)) {
                out.append(String.format("\\u%04x", (int) next)); // half a pair cannot be sent otherwise
            } else {
                out.append(next);
            }
        }
        out.append('"');
    }
}
