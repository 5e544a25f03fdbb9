"""How many of a log's newest entries its bytes allow: trimming by number alone would keep 100 MB of large ones."""

from collections import deque

from shared.cursor import Cursor


class LogSize:
    """The newest entries of one log, by size.

    Args:
        history_len: entries that the log may hold.
        history_bytes: bytes that they may have together.
    """

    def __init__(self, history_len: int, history_bytes: int) -> None:
        self._sizes: deque[tuple[Cursor, int]] = deque()
        self._history_len = history_len
        self._history_bytes = history_bytes
        self._bytes = 0
        self.oldest_to_keep: Cursor | None = None
        """Entries before it are to be trimmed; None while all fit."""

    def add(self, cursor: Cursor, size: int) -> None:
        self._sizes.append((cursor, size))
        self._bytes += size
        if len(self._sizes) > self._history_len:
            self._bytes -= self._sizes.popleft()[1]
        while self._bytes > self._history_bytes and len(self._sizes) > 1:
            self._bytes -= self._sizes.popleft()[1]
            self.oldest_to_keep = self._sizes[0][0]
