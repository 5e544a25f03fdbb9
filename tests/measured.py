"""What this process tells Prometheus."""

from prometheus_client import REGISTRY


def measured(name: str, **labels: str) -> float:
    """A sample by its full name; 0 when it was never told."""
    return REGISTRY.get_sample_value(f"roomcast_{name}", labels) or 0.0
