"""The series and labels of an expression are found, and nothing else."""

import pytest

from docgen.monitoring.expressions import usage


@pytest.mark.parametrize(
    ("expression", "series", "grouping"),
    [
        ("up", {"up": set()}, set()),
        ('up{job="a"} == 0', {"up": {"job"}}, set()),
        ('a{x=~"b{c}",y!="\\"}"}', {"a": {"x", "y"}}, set()),
        ("sum by (job, le) (rate(a_bucket[5m]))", {"a_bucket": set()}, {"job", "le"}),
        ("sum(rate(a_total[$__rate_interval])) by (kind)", {"a_total": set()}, {"kind"}),
        ("a and on () b unless c", {"a": set(), "b": set(), "c": set()}, set()),
        ("a * on (job) group_left (version) b", {"a": set(), "b": set()}, {"job", "version"}),
        ("job:a:rate5m > 1.5e3 and hour() >= 3", {"job:a:rate5m": set()}, set()),
        ("max(a) > (max(a offset 1d) or vector(0))", {"a": set()}, set()),
        ('histogram_quantile(0.99, a{le!=""})', {"a": {"le"}}, set()),
        ("a\n  and b", {"a": set(), "b": set()}, set()),
    ],
)  # fmt: skip
def test_series_matchers_and_groupings_are_found(
    expression: str, series: dict[str, set[str]], grouping: set[str]
) -> None:
    found = usage(expression)
    assert found.series == series
    assert found.grouping == grouping
