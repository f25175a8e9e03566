"""A clock that is off beyond the bound is logged once, is a metric, and makes a process unready."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.runtime.clock_skew import ClockSkew, dependency_of
from shared.runtime.health import Readiness


def metric(peer: str) -> float | None:
    return REGISTRY.get_sample_value("tradedad_clock_skew_seconds", {"peer": peer})


@pytest.mark.parametrize("ahead_secs", [-4.9, 0.0, 4.9])
def test_a_skew_within_the_bound_is_only_a_metric(ahead_secs: float) -> None:
    readiness = Readiness("test")
    skew = ClockSkew("auth", 5.0, readiness)
    skew.observe(ahead_secs)
    assert (metric("auth"), skew.fault, readiness.is_ready()) == (ahead_secs, None, True)


@pytest.mark.parametrize(
    ("ahead_secs", "said"), [(3_600.0, "3600.0 s ahead of"), (-7.5, "7.5 s behind")]
)
def test_a_skew_beyond_the_bound_is_reported_until_it_ends(ahead_secs: float, said: str) -> None:
    readiness = Readiness("test")
    skew = ClockSkew("auth", 5.0, readiness)
    with capture_logs() as logs:
        skew.observe(ahead_secs)
        skew.observe(ahead_secs)
        fault = skew.fault or ""
        assert said in fault
        assert readiness.missing == {dependency_of("auth"): fault}
        skew.observe(0.1)
    assert skew.fault is None
    assert readiness.is_ready()
    assert [entry["event"] for entry in logs] == ["not ready", "ready"]


def test_a_skew_that_the_uncertainty_explains_is_no_fault() -> None:
    readiness = Readiness("test")
    skew = ClockSkew("auth", 5.0, readiness)
    skew.observe(6.0, uncertainty_secs=1.5)
    assert readiness.is_ready()
    skew.observe(7.0, uncertainty_secs=1.5)
    assert not readiness.is_ready()


def test_without_readiness_a_skew_is_logged_once_in_each_direction() -> None:
    skew = ClockSkew("ingest", 5.0)
    with capture_logs() as logs:
        for ahead_secs in (0.0, 9.0, 9.0, 0.0, 0.0, -9.0):
            skew.observe(ahead_secs)
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [
        ("warning", "clocks differ"), ("info", "clocks agree again"), ("warning", "clocks differ"),
    ]  # fmt: skip
