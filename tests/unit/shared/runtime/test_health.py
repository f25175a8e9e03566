"""Readiness depends on every dependency, and is logged and exported once per change."""

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.runtime.health import Readiness


def gauge(dependency: str) -> float | None:
    return REGISTRY.get_sample_value("tradedad_dependency_up", {"dependency": dependency})


def test_a_process_is_ready_while_all_dependencies_are_available() -> None:
    readiness = Readiness("oven")
    assert readiness.is_ready()
    readiness.down("gas", "no pressure")
    readiness.down("water", "tap closed")
    readiness.up("gas")
    assert not readiness.is_ready()
    assert readiness.missing == {"water": "tap closed"}
    readiness.up("water")
    assert readiness.is_ready()


def test_the_last_reason_replaces_the_first() -> None:
    readiness = Readiness("oven")
    readiness.down("gas", "connecting")
    readiness.down("gas", "refused")
    assert readiness.missing == {"gas": "refused"}
    readiness.up("gas")
    assert readiness.is_ready()


def test_a_dependency_that_was_never_down_may_come_up() -> None:
    readiness = Readiness("oven")
    readiness.up("gas")
    assert readiness.is_ready()


def test_missing_is_a_copy() -> None:
    readiness = Readiness("oven")
    readiness.missing["gas"] = "stolen"
    assert readiness.is_ready()


def test_each_dependency_has_a_gauge() -> None:
    readiness = Readiness("oven")
    readiness.down("gauge-test", "away")
    assert gauge("gauge-test") == 0.0
    readiness.up("gauge-test")
    assert gauge("gauge-test") == 1.0


def test_an_outage_is_logged_once() -> None:
    readiness = Readiness("oven")
    with capture_logs() as logged:
        for _ in range(3):
            readiness.down("gas", "away")
        readiness.up("gas")
        readiness.up("gas")
    assert [line["event"] for line in logged] == ["not ready", "ready"]


def test_each_reason_of_an_outage_is_logged_once_up_to_a_limit() -> None:
    readiness = Readiness("oven")
    with capture_logs() as logged:
        for reason in ("connecting", "refused", "connecting", *map(str, range(100))):
            readiness.down("gas", reason)
    assert [line["reason"] for line in logged[:3]] == ["connecting", "refused", "0"]
    assert len(logged) == 10
    readiness.up("gas")
    with capture_logs() as logged:
        readiness.down("gas", "refused")
    assert [line["reason"] for line in logged] == ["refused"]
