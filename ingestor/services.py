"""What every worker of an ingestor shares."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestor.plugins import Plugin
from ingestor.recorder import Recorder
from ingestor.settings import IngestorSettings
from shared.broker import Broker
from shared.demand import Demand
from shared.lease import Leases


@dataclass(frozen=True, slots=True)
class Services:
    """The log, the leases, the demand, the settings, who records the rooms, if somebody does, and others' handlers."""

    broker: Broker
    leases: Leases
    demand: Demand
    settings: IngestorSettings
    recorder: Recorder | None = None
    plugins: Sequence[Plugin] = ()
