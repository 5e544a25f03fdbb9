"""Real captured payloads through the whole way. They are no part of the project: without them this is skipped."""

import pytest

from tests.conftest import CAPTURES
from tests.e2e.cluster import Processes
from tests.e2e.test_main_path import play

PAYLOADS = CAPTURES / "tiktok" / "payloads"


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no captures beside the repository")
async def test_captured_payloads_arrive_in_order_and_once(processes: Processes) -> None:
    assert await play(processes, PAYLOADS) > 800
