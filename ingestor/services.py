"""What every worker of an ingestor shares."""

from dataclasses import dataclass

from ingestor.settings import IngestorSettings
from shared.broker import Broker
from shared.demand import Demand
from shared.lease import Leases


@dataclass(frozen=True, slots=True)
class Services:
    """The log, the leases, the demand, and the settings."""

    broker: Broker
    leases: Leases
    demand: Demand
    settings: IngestorSettings
