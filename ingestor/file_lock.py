"""Saying to other processes that a file is being written. Where the platform has no such locks, nobody is told."""

import contextlib
import sys
from io import FileIO
from pathlib import Path

if sys.platform != "win32":
    import fcntl

    def hold(file: FileIO) -> None:
        """Hold it until it is closed, or the process is gone."""
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_held(path: Path) -> bool:
        """Whether somebody holds it, in this process or another one."""
        try:
            with path.open("rb") as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # it is gone, or on a file system without locks
            return False
        return False

else:

    def hold(file: FileIO) -> None:
        """Nothing."""

    def is_held(path: Path) -> bool:
        """Nobody knows."""
        return False
