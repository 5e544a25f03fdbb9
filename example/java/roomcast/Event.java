package roomcast;

import java.util.List;

/** Something that happened in a room. Fields that an event does not carry are empty. */
public sealed interface Event extends Message {
    /** What every event has. */
    Base base();

    /**
     * @param room the canonical one, also for those who asked by name
     * @param id the platform's; empty on events that it did not send
     * @param cursor the place in the room's log; see {@link Room#since}
     * @param time milliseconds since 1970
     * @param json the event as it came, with all that these types leave out
     */
    record Base(
            String type, String platform, String room, String id, String cursor, long time, boolean history, String json) {}

    /** A mark beside a name. */
    record Badge(String kind, long level, String text, String image) {}

    /**
     * A person.
     *
     * @param uniqueId the @handle
     * @param masked the id is shared by many
     */
    record User(
            String id, String uniqueId, String nickname, String avatar, List<String> roles, List<Badge> badges,
            long level, long fansLevel, String fansClub, boolean masked) {
        static User of(Fields user) {
            List<Badge> badges = user.objects("badges").stream()
                    .map(badge -> new Badge(
                            badge.text("kind"), badge.number("level"), badge.text("text"), badge.text("image")))
                    .toList();
            return new User(
                    user.text("id"), user.text("unique_id"), user.text("nickname"), user.text("avatar"),
                    user.texts("roles"), badges, user.number("level"), user.number("fans_level"),
                    user.text("fans_club"), user.flag("masked"));
        }
    }

    /** A viewer said something. */
    record Chat(Base base, User user, String content, String lang) implements Event {}

    /**
     * A press of a gift. The sum of {@code delta} is the number of gifts, the sum of {@code diamonds} their value.
     *
     * @param total of the streak so far
     * @param isFinal the streak is over
     */
    record Gift(
            Base base, User user, String giftId, String name, String image, long diamondCount, boolean combo,
            long delta, long total, long diamonds, boolean isFinal) implements Event {}

    /** A batch of likes of one viewer. */
    record Like(Base base, User user, long likeCount, long totalLikeCount) implements Event {}

    /** A viewer comes, leaves, or is made or unmade something; see {@code action}. */
    record Member(Base base, User user, long memberCount, String action) implements Event {}

    /** A viewer follows the host. */
    record Follow(Base base, User user, long followCount) implements Event {}

    /** A viewer shares the room. */
    record Share(Base base, User user, long shareCount) implements Event {}

    /** The room's numbers. */
    record RoomStats(Base base, long viewerCount, long totalUser, List<Ranked> top) implements Event {}

    /** One of the top viewers. */
    record Ranked(long rank, long score, User user) {}

    /** The broadcast is {@code live} or {@code paused}. Without {@code gifts} this session is not told any. */
    record LiveStatus(Base base, String state, String title, User owner, boolean gifts) implements Event {}

    /** The last event of a broadcast. {@link Message.Over} follows, unless the room is waited for. */
    record Ended(Base base, String reason, String text) implements Event {}

    /** Any other event, also of types that only a newer gateway knows. */
    record Other(Base base, Fields fields) implements Event {}

    /** Reads an event of any type. */
    static Event of(Fields event, String json) {
        Base base = new Base(
                event.text("type"), event.text("platform"), event.text("room"), event.text("id"), event.text("cursor"),
                event.number("time"), event.flag("history"), json);
        User user = User.of(event.object("user"));
        return switch (base.type) {
            case "chat" -> new Chat(base, user, event.text("content"), event.text("lang"));
            case "gift" -> gift(base, user, event);
            case "like" -> new Like(base, user, event.number("like_count"), event.number("total_like_count"));
            case "member" -> new Member(base, user, event.number("member_count"), event.text("action"));
            case "follow" -> new Follow(base, user, event.number("follow_count"));
            case "share" -> new Share(base, user, event.number("share_count"));
            case "room_stats" -> new RoomStats(
                    base, event.number("viewer_count"), event.number("total_user"),
                    event.objects("top").stream()
                            .map(one -> new Ranked(one.number("rank"), one.number("score"), User.of(one.object("user"))))
                            .toList());
            case "live_status" -> {
                Fields live = event.object("live_status");
                yield new LiveStatus(
                        base, live.text("state"), live.text("title"), User.of(live.object("owner")), live.flag("gifts"));
            }
            case "ended" -> new Ended(base, event.object("ended").text("reason"), event.object("ended").text("text"));
            default -> new Other(base, event);
        };
    }

    private static Gift gift(Base base, User user, Fields event) {
        Fields gift = event.object("gift");
        return new Gift(
                base, user, gift.text("id"), gift.text("name"), gift.text("image"), gift.number("diamond_count"),
                gift.flag("combo"), event.number("delta"), event.number("total"), event.number("diamonds"),
                event.flag("final"));
    }
}
