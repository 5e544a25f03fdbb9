"""What can go wrong with a measurement."""


class BenchError(Exception):
    """No figure can be had; the text says why."""
