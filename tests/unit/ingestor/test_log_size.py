"""What a log keeps."""

from ingestor.log_size import LogSize
from shared.cursor import Cursor


def oldest(sizes: list[int], *, history_len: int = 100, history_bytes: int = 100) -> Cursor | None:
    log = LogSize(history_len, history_bytes)
    for offset, size in enumerate(sizes, start=1):
        log.add(Cursor(5, offset), size)
    return log.oldest_to_keep


def test_while_all_fits_nothing_goes() -> None:
    assert oldest([]) is None
    assert oldest([60, 40]) is None


def test_the_oldest_go_until_the_rest_fits() -> None:
    assert oldest([60, 40, 1]) == Cursor(5, 2)
    assert oldest([10, 10, 95]) == Cursor(5, 3)


def test_the_newest_stays_however_large() -> None:
    assert oldest([10, 500]) == Cursor(5, 2)


def test_what_went_by_number_counts_no_more() -> None:
    assert oldest([60, 40, 40], history_len=2) is None
