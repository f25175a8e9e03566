"""Expressions that dashboards share."""

from docgen.monitoring.promql import quantile, rare, rate


def test_a_rate_is_summed_by_its_labels() -> None:
    assert rate("a_total") == "sum (rate(a_total[$__rate_interval]))"
    assert rate("a_total", "job", "kind") == "sum by (job, kind) (rate(a_total[$__rate_interval]))"


def test_a_rare_event_has_the_rate_zero_before_the_first() -> None:
    assert rare("a_total").endswith(" or vector(0)")


def test_a_quantile_keeps_the_bounds_of_the_buckets() -> None:
    assert quantile(0.99, "a_seconds", "job") == (
        "histogram_quantile(0.99, sum by (le, job) (rate(a_seconds_bucket[$__rate_interval])))"
    )
