"""What gateways tell of their present state."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from gateway.gauges import Gauges, kept
from gateway.relay import Relay
from gateway.settings import GatewaySettings
from shared import metrics
from tests.measured import measured
from tests.sinks import ListSink


def relay(**state: Any) -> Relay:
    options: dict[str, Any] = {"_env_file": None, "clients_max": 50}
    present = {"rooms": {}, "slow_sinks": set(), "up": True, "draining": False} | state
    return cast(Relay, SimpleNamespace(settings=GatewaySettings(**options), **present))


class SlowSink(ListSink):
    unsent_bytes = 70_000


def test_state_is_told() -> None:
    state = relay(rooms={"tiktok:1": None}, slow_sinks={SlowSink(), SlowSink()})
    assert Gauges(state).read() == {
        metrics.GATEWAY_ROOMS: 1,
        metrics.CLIENTS_LIMIT: 50,
        metrics.SLOW_CLIENTS: 2,
        metrics.UNSENT_BYTES: 140_000,
        metrics.READY: True,
        metrics.DRAINING: False,
    }


def test_gateway_is_not_ready_without_redis_and_while_it_drains() -> None:
    assert not Gauges(relay(up=False)).read()[metrics.READY]
    draining = Gauges(relay(draining=True)).read()
    assert (draining[metrics.READY], draining[metrics.DRAINING]) == (False, True)


def test_gateways_of_one_process_are_added_up() -> None:
    gauge = metrics.UNSENT_BYTES
    one, other = Gauges(relay()), Gauges(relay())
    before = measured("gateway_unsent_bytes")
    one.tell({gauge: 5})
    other.tell({gauge: 3})
    one.tell({gauge: 7})
    assert measured("gateway_unsent_bytes") - before == 10
    one.tell({})
    assert measured("gateway_unsent_bytes") - before == 3
    other.tell({})
    assert measured("gateway_unsent_bytes") == before


async def test_gauges_and_the_lag_of_the_loop_are_told_as_long_as_the_gateway_runs() -> None:
    before, looks = measured("gateway_clients_limit"), measured("event_loop_lag_seconds_count")
    async with kept(relay()), asyncio.timeout(5):
        while measured("event_loop_lag_seconds_count") == looks:
            await asyncio.sleep(0.01)
        assert measured("gateway_clients_limit") == before + 50
    assert measured("gateway_clients_limit") == before


async def test_counters_with_known_labels_begin_with_zero() -> None:
    async with kept(relay()):
        closes = {sample.labels["code"] for metric in metrics.CLOSES.collect() for sample in metric.samples}
        gaps = {sample.labels["outcome"] for metric in metrics.GAPS.collect() for sample in metric.samples}
    assert closes >= {"slow_consumer", "draining", "ping_timeout"}
    assert gaps == {"healed", "announced"}
