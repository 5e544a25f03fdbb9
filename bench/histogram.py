"""Latencies, counted in buckets: memory does not grow with a run, and percentiles are within 1.6 %."""

import math
from collections import Counter
from dataclasses import dataclass, field

_SUB_BITS = 6  # 64 buckets for each power of two


@dataclass(slots=True)
class Histogram:
    """Counts of whole, not negative numbers."""

    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, value: int) -> None:
        """Count one."""
        shift = max(0, value.bit_length() - 1 - _SUB_BITS)
        self.buckets[(value >> shift) + (shift << (_SUB_BITS + 1))] += 1

    def percentile(self, percent: float) -> int:
        """The value that `percent` of all do not exceed; 0 of an empty one."""
        left = math.ceil(self.buckets.total() * percent / 100)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                shift, rest = bucket >> (_SUB_BITS + 1), bucket & ((1 << (_SUB_BITS + 1)) - 1)
                return ((rest + 1) << shift) - 1
        return 0
