"""The command lines that look into captures."""

import io
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ingestor import decode
from ingestor.__main__ import main
from ingestor.captures import LINE_MAX_BYTES, Lookahead, read_messages
from ingestor.connectors.base import LiveRoom, Message
from ingestor.connectors.registry import CONNECTORS
from ingestor.decode import ROOMS_MAX, Decoding
from ingestor.recording import Header, Kind, Opened, Record, member
from protos import tiktok_pb2 as tiktok
from protos import webcast_pb2 as webcast
from shared import events
from shared.room import RoomKey

FIXTURES = Path(__file__).parents[2] / "fixtures"
ROOM = 7300000000000000001
NOW_MS = 1_765_432_111_123
START_MS = 1_765_432_100_000


def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=stdin)


def chat(content: str, *, room: int = ROOM, message_id: int = 7) -> bytes:
    common = tiktok.Common(msg_id=message_id, room_id=room, create_time=START_MS)
    return tiktok.ChatMessage(common=common, content=content.encode()).SerializeToString()


def line(payload: bytes, method: str = "WebcastChatMessage", **fields: object) -> bytes:
    return json.dumps({"method": method, "payload_b64": b64encode(payload).decode(), **fields}).encode() + b"\n"


def frame(*payloads: bytes, message_id: int = 0) -> bytes:
    """A frame of a stream, behind its length; its messages share the id."""
    messages = [
        webcast.Message(method=b"WebcastChatMessage", payload=payload, msg_id=message_id) for payload in payloads
    ]
    response = webcast.Response(messages=messages, need_ack=True, internal_ext=b"-").SerializeToString()
    return sized(webcast.PushFrame(payload_type=b"msg", payload=response).SerializeToString())


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


def contents(result: Result) -> list[str]:
    return [json.loads(text)["content"] for text in result.stdout.splitlines()]


def read(capture: bytes) -> tuple[list[tuple[str, Message]], list[str]]:
    problems: list[str] = []
    dialect = CONNECTORS["tiktok"].dialect("1")
    return list(read_messages(Lookahead(io.BytesIO(capture), 4), dialect, problems.append)), problems


@pytest.mark.parametrize("platform", CONNECTORS)
def test_a_file_of_lines_gives_one_numbered_event_per_message(platform: str) -> None:
    result = run("decode", "--platform", platform, FIXTURES / platform / "messages.jsonl")
    assert result.exit_code == 0, result.stderr
    assert result.stdout_bytes == (FIXTURES / platform / "expected.jsonl").read_bytes()
    cursors = [json.loads(text)["cursor"] for text in result.stdout.splitlines()]
    assert cursors == [f"0-{number}" for number in range(1, len(cursors) + 1)]


def test_a_stream_of_frames_gives_the_same_events(tmp_path: Path) -> None:
    capture = tmp_path / "no.extension"
    capture.write_bytes(frame(chat("one"), chat("two")) + frame())
    result = run("decode", capture)
    assert result.exit_code == 0, result.stderr
    assert contents(result) == ["one", "two"]


def test_a_message_that_comes_again_in_a_stream_is_told_once() -> None:
    messages, problems = read(frame(chat("one"), message_id=7) + frame(chat("again"), message_id=7))
    assert ([message.payload for _, message in messages], problems) == ([chat("one")], [])


def test_several_files_and_the_standard_input_are_one_sequence(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(line(chat("one")))
    (tmp_path / "b").write_bytes(frame(chat("three")))
    result = run("decode", tmp_path / "a", "-", tmp_path / "b", stdin=line(chat("two")))
    assert result.exit_code == 0, result.stderr
    assert contents(result) == ["one", "two", "three"]
    assert [json.loads(text)["cursor"] for text in result.stdout.splitlines()] == ["0-1", "0-2", "0-3"]


def test_a_broken_line_is_told_with_its_place_and_does_not_stop_what_follows(tmp_path: Path) -> None:
    capture = tmp_path / "broken.jsonl"
    broken = [
        b"nope\n",
        b"[]\n",
        b'{"method":1,"payload_b64":""}\n',
        b'{"method":"x"}\n',
        b'{"method":"x","payload_b64":"?"}\n',
        b'{"method":"x","payload_b64":"","msg_id":-1}\n',
        b'{"method":"\xff","payload_b64":""}\n',
        b'{"x":' + b"[" * 100_000 + b"\n",
        b"x" * (3 * LINE_MAX_BYTES) + b"\n",
    ]
    capture.write_bytes(b"".join(broken) + b"\n  \n" + line(chat("still here")).rstrip())
    result = run("decode", capture)
    assert result.exit_code == 1
    assert contents(result) == ["still here"]
    told = result.stderr.splitlines()
    assert len(told) == len(broken)
    for number, problem in enumerate(told, start=1):
        assert problem.startswith(f"{capture}: line {number}: ")


def test_a_payload_that_does_not_decode_is_printed_raw_and_told() -> None:
    result = run("decode", "-", stdin=line(b"\xff"))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["type"] == "raw"
    assert result.stderr == "-: line 1: WebcastChatMessage: not of the method's schema\n"


def test_a_broken_frame_is_told_with_its_place_and_does_not_stop_what_follows() -> None:
    messages, problems = read(frame(chat("one")) + sized(b"\xff") * 6 + frame(chat("two"), chat("three")))
    assert [(place, message.payload) for place, message in messages] == [
        ("frame 1", chat("one")),
        ("frame 8", chat("two")),
        ("frame 8", chat("three")),
    ]
    assert problems == [f"frame {number}: cannot be read" for number in range(2, 8)]


@pytest.mark.parametrize(
    ("tail", "problem"),
    [
        (b"\x05", "frame 2: cut short"),
        (sized(b"\x08\x01")[:-1], "frame 2: cut short"),
        (
            b"\xff\xff\xff\x7f and more",
            "frame 2: 2147483647 bytes is too much for a frame; the rest cannot be read",
        ),
    ],
)
def test_a_stream_that_breaks_off_gives_what_came_before(tail: bytes, problem: str) -> None:
    messages, problems = read(frame(chat("one")) + tail)
    assert [message.payload for _, message in messages] == [chat("one")]
    assert problems == [problem]


@pytest.mark.parametrize("start", [b"", b"\n", b"\n\n\n\n", b"\xef\xbb\xbf", b"  "])
def test_lines_are_recognised_by_what_they_hold(start: bytes) -> None:
    messages, problems = read(start + line(chat("one"), msg_id=7) + line(chat("two"), msg_id="8"))
    assert problems == []
    assert [message for _, message in messages] == [
        Message("WebcastChatMessage", chat("one"), "7", history=False),
        Message("WebcastChatMessage", chat("two"), "8", history=False),
    ]


@pytest.mark.parametrize("capture", [b"", b"\n", b"{}", b"abc"])
def test_a_capture_of_a_few_bytes_holds_no_messages(capture: bytes) -> None:
    messages, problems = read(capture)
    assert messages == []
    assert len(problems) == (1 if capture.strip() else 0)


def test_a_length_that_begins_like_json_is_still_a_length() -> None:
    capture = next(made for size in range(300) if (made := frame(chat("x" * size))).startswith(b"{"))
    messages, problems = read(capture)
    assert (len(messages), problems) == (1, [])


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=100).map(lambda tail: frame(chat("a")) + tail)))
def test_any_bytes_are_read_to_their_end(capture: bytes) -> None:
    for _, message in read(capture)[0]:
        assert isinstance(message, Message)


def test_without_a_room_each_message_has_its_own() -> None:
    capture = line(b"") + line(chat("one", room=1)) + line(b"") + line(chat("two", room=2))
    result = run("decode", "-", stdin=capture)
    assert [json.loads(text)["room"] for text in result.stdout.splitlines()] == ["0", "1", "1", "2"]


def test_with_a_room_messages_of_others_are_raw() -> None:
    capture = line(chat("one", room=1)) + line(chat("two", room=2)) + line(chat("three", room=0))
    result = run("decode", "--room", "1", "-", stdin=capture)
    told = [json.loads(text) for text in result.stdout.splitlines()]
    assert [(frame["room"], frame["type"]) for frame in told] == [("1", "chat"), ("1", "raw"), ("1", "chat")]


def test_a_room_may_be_called_otherwise_than_its_messages_call_it() -> None:
    capture = line(chat("none", room=0)) + line(chat("one", room=7)) + line(chat("two", room=8))
    result = run("decode", "--room", "demo", "-", stdin=capture)
    told = [json.loads(text) for text in result.stdout.splitlines()]
    assert [(frame["room"], frame["type"]) for frame in told] == [("demo", "chat"), ("demo", "chat"), ("demo", "raw")]


@pytest.mark.parametrize("platform", CONNECTORS)
def test_a_stream_is_read_as_the_platform_speaks(platform: str) -> None:
    payload = frame(chat("one"), chat("two"))
    result = run("decode", "--platform", platform, "-", stdin=payload)
    assert (result.exit_code, contents(result)) == (0, ["one", "two"])
    assert {json.loads(text)["platform"] for text in result.stdout.splitlines()} == {platform}


def test_sums_are_kept_per_room() -> None:
    def likes(room: int, total: int) -> Message:
        common = tiktok.Common(room_id=room, create_time=START_MS)
        payload = tiktok.LikeMessage(common=common, count=1, total=total).SerializeToString()
        return Message("WebcastLikeMessage", payload, "", history=False)

    def totals(messages: Sequence[Message]) -> list[int]:
        told = [event for message in messages for event in decoding.decode(message, NOW_MS)]
        return [event.total_like_count for event in told if isinstance(event, events.Like)]

    decoding = Decoding("tiktok", None)
    assert totals([likes(1, 90), likes(2, 5), likes(1, 80)]) == [90, 5, 90]
    assert totals([likes(room, 1) for room in range(3, ROOMS_MAX + 2)]) == [1] * (ROOMS_MAX - 1)
    assert totals([likes(1, 70), likes(2, 4)]) == [90, 4]  # the room that was not heard of for longest is forgotten


def test_messages_that_tell_no_time_have_that_of_receipt() -> None:
    (event,) = Decoding("tiktok", RoomKey("tiktok", "1")).decode(
        Message("WebcastChatMessage", b"", "", history=False), NOW_MS
    )
    assert event.time == NOW_MS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["decode", "--room", "a b", "-"], "--room: a room is 1 to 64 characters"),
        (["decode", "--platform", "radio", "-"], "radio"),
        (["decode"], "FILE"),
    ],
)
def test_a_wrong_argument_is_explained(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_file_that_cannot_be_read_is_told_and_the_next_one_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(line(chat("one")))
    result = run("decode", tmp_path / "missing", tmp_path, tmp_path / "a")
    assert result.exit_code == 1
    assert contents(result) == ["one"]
    assert result.stderr.splitlines() == [
        f"{tmp_path / 'missing'}: No such file or directory",
        f"{tmp_path}: Is a directory",
    ]


def test_the_table_of_events_names_every_message_and_what_it_becomes() -> None:
    result = run("events")
    assert result.exit_code == 0
    rows = [text.split(maxsplit=2) for text in result.stdout.splitlines()]
    assert rows == [
        [platform, method, ", ".join(types)]
        for platform, row in CONNECTORS.items()
        for method, types in row.messages.types().items()
    ]
    assert [
        platform for platform in CONNECTORS if [platform, "WebcastSocialMessage", "follow, share"] not in rows
    ] == []


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    capture = tmp_path / "long.jsonl"
    capture.write_bytes(line(chat("x" * 1000)) * 2000)
    command = [sys.executable, "-m", "ingestor", "decode", str(capture)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(decode.__file__).parents[1]
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"type":"chat"')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 1


# --- recordings -------------------------------------------------------------------------------------------------------

RECORDINGS = FIXTURES / "replay"


def recording(*records: Record, platform: str = "tiktok", room: str = str(ROOM)) -> bytes:
    header = Header(platform=platform, room=room, started_at=START_MS)
    return member(header.line() + b"".join(record.packed() for record in records))


def opened(room_id: str = str(ROOM)) -> Record:
    return Record.opened(START_MS, Opened(live=LiveRoom(), room_id=room_id, position="", overlapped=False))


def recorded(payload: bytes, message_id: int) -> Record:
    return Record.frame(NOW_MS, frame(payload, message_id=message_id)[4:])


@pytest.mark.parametrize("platform", CONNECTORS)
def test_a_recording_says_itself_whose_it_is(platform: str) -> None:
    result = run("decode", RECORDINGS / f"{platform}.rec")
    assert result.exit_code == 0, result.stderr
    decoded = [json.loads(text) for text in result.stdout.splitlines()]
    assert len(decoded) > 50
    assert {event["platform"] for event in decoded} == {platform}


def test_messages_of_a_recording_are_told_once_over_all_connections() -> None:
    first = Record.message(START_MS, Message("WebcastChatMessage", chat("first"), "1", history=True))
    capture = recording(opened(), first, recorded(chat("one"), 2), opened(), first, recorded(chat("one"), 2))
    result = run("decode", "-", stdin=capture)
    assert (result.exit_code, contents(result)) == (0, ["first", "one"])


def test_messages_of_a_recording_that_tell_no_time_have_that_of_receipt() -> None:
    result = run("decode", "-", stdin=recording(opened(), recorded(tiktok.ChatMessage().SerializeToString(), 1)))
    assert json.loads(result.stdout)["time"] == NOW_MS


def test_what_cannot_be_read_of_a_recording_is_told_with_its_place() -> None:
    bad = [Record(NOW_MS, Kind.OPENED, b"{}"), Record(NOW_MS, Kind.MESSAGE, b""), Record.frame(NOW_MS, b"\xff")]
    capture = recording(opened("9" * 20), opened(), *bad, recorded(chat("one"), 1)) + member(b"\x00")
    result = run("decode", "-", stdin=capture)
    assert (result.exit_code, contents(result)) == (1, ["one"])
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == [
        "record 1", "record 3", "record 4", "record 5", "the end cannot be read",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        (recording(platform="elsewhere"), "a platform that is not known here"),
        (recording(room="a b"), "a room is 1 to 64 characters"),
        (b"\x1f\x8b\x08", "it is no recording"),
    ],
)
def test_what_is_no_recording_of_ours_is_told(capture: bytes, words: str) -> None:
    result = run("decode", "-", stdin=capture)
    assert result.exit_code == 1
    assert words in result.stderr
