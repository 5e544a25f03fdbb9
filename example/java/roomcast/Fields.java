package roomcast;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The fields of a JSON object. One that is absent, or has another type than ours, is empty: frames may grow. */
public record Fields(Map<?, ?> members) {
    private static final Fields NONE = new Fields(Map.of());

    static Fields of(Object value) {
        return value instanceof Map<?, ?> members ? new Fields(members) : NONE;
    }

    public boolean has(String name) {
        return members.containsKey(name);
    }

    public String text(String name) {
        return members.get(name) instanceof String text ? text : "";
    }

    public long number(String name) {
        return members.get(name) instanceof Number number ? number.longValue() : 0;
    }

    public boolean flag(String name) {
        return members.get(name) instanceof Boolean flag && flag;
    }

    public Fields object(String name) {
        return of(members.get(name));
    }

    public List<Fields> objects(String name) {
        List<Fields> objects = new ArrayList<>();
        list(name).forEach(item -> objects.add(of(item)));
        return objects;
    }

    public List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        list(name).forEach(item -> texts.add(String.valueOf(item)));
        return texts;
    }

    public Map<String, Long> numbers(String name) {
        Map<String, Long> numbers = new HashMap<>();
        Fields object = object(name);
        object.members.keySet().forEach(key -> numbers.put(String.valueOf(key), object.number(String.valueOf(key))));
        return numbers;
    }

    private List<?> list(String name) {
        return members.get(name) instanceof List<?> items ? items : List.of();
    }
}
