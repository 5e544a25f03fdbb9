"""The names in an expression are found, and nothing else."""

import pytest

from tests.unit.deploy.promql import Named, named


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up == 0", Named({"up": set()}, set())),
        ('sum(rate(a_total{x="1", y=~"b|c"}[5m])) > 2e3', Named({"a_total": {"x", "y"}}, set())),
        (
            "histogram_quantile(0.99, sum by (job, le) (rate(a_bucket[$__rate_interval])))",
            Named({"a_bucket": set()}, {"job", "le"}),
        ),
        ("a / b and on (x) max without(y) (c)", Named({"a": set(), "b": set(), "c": set()}, {"x", "y"})),
        ("(sum(a) or vector(0)) < 256 * 1024", Named({"a": set()}, set())),
    ],
)
def test_metrics_and_labels_are_found(expression: str, expected: Named) -> None:
    assert named(expression) == expected
