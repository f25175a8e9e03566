"""A query that names a series or label which does not exist is found."""

from docgen.metrics_page import metrics_by_package
from docgen.monitoring.series import exported_series, problems, recorded_labels

KNOWN = exported_series()


def test_a_histogram_has_three_series_and_a_counter_one() -> None:
    assert KNOWN["tradedad_gateway_latency_seconds_bucket"] == {"job", "instance", "le"}
    assert KNOWN["tradedad_gateway_latency_seconds_count"] == {"job", "instance"}
    assert KNOWN["tradedad_persister_bars_total"] == {"job", "instance", "state"}
    assert "tradedad_gateway_latency_seconds" not in KNOWN
    assert "tradedad_persister_bars" not in KNOWN


def test_no_metric_has_a_label_that_prometheus_sets_itself() -> None:
    for metrics in metrics_by_package().values():
        assert [metric for metric in metrics if {"job", "instance"} & set(metric.labels)] == []


def test_a_query_of_existing_series_and_labels_has_no_problem() -> None:
    query = 'sum by (state, job) (rate(tradedad_persister_bars_total{state!="x"}[5m])) / up'
    assert problems(query, KNOWN) == []


def test_a_renamed_metric_is_found() -> None:
    assert problems("sum(rate(tradedad_persister_bar_total[5m]))", KNOWN) == [
        "there is no series tradedad_persister_bar_total"
    ]


def test_a_label_that_the_metric_lacks_is_found() -> None:
    assert problems('tradedad_persister_bars_total{status="partial"}', KNOWN) == [
        "tradedad_persister_bars_total has no label status"
    ]
    assert problems("sum by (status) (tradedad_persister_bars_total)", KNOWN) == [
        "no series has the label status"
    ]


def test_a_recorded_series_has_the_labels_of_its_grouping() -> None:
    assert recorded_labels("sum by (job, le) (rate(a_bucket[5m]))") == {"job", "le"}
    assert recorded_labels("sum(a)") == set()
