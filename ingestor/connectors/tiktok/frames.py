"""What a TikTok client sends over the socket, byte for byte. Pure.

Source: the bytes of three peer clients and of TikTok's web player, compared in 2026; acks also recorded 2024-12.
"""

from ingestor.connectors.webcast import Dialect, Told, frame
from protos import webcast_pb2 as pb

_LIVE_ID = 12


def dialect(room_id: str, position: str = "") -> Dialect:
    """The client's side of a connection to one room, wherever it goes on from."""
    number = int(room_id)
    return Dialect(
        room_id=room_id,
        heartbeat=lambda count: frame(
            b"hb", pb.HeartBeat(room_id=number, send_packet_seq_id=count).SerializeToString(), encoding=b"pb"
        ),
        enter_room=frame(
            b"im_enter_room",
            pb.EnterRoom(
                room_id=number, live_id=_LIVE_ID, identity="audience", filter_welcome_msg="0"
            ).SerializeToString(),
            encoding=b"pb",
        ),
        # The recorded client answers an absent internal_ext with a dash, as the server itself writes it.
        ack=lambda log_id, internal_ext: frame(b"ack", internal_ext or b"-", encoding=b"pb", log_id=log_id),
        told=_told,
        position=lambda cursor, response: cursor,
        cursor_header=b"im_cursor",
        greeting="RoomMessage",
    )


def _told(response: pb.Response, message: pb.Message) -> Told:
    return Told.HISTORY if response.is_first or message.is_history else Told.NEWS
