"""A round replaces the one before, and totals of servers become counters."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from operations.server_metrics.figures import Figures, Publication

REGISTRY = CollectorRegistry()
GAUGE = Gauge("connections", "Connections.", ["server"], registry=REGISTRY)
COUNTER = Counter("opened", "Opened connections.", ["server"], registry=REGISTRY)


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    yield
    GAUGE.clear()
    COUNTER.clear()


def shown(name: str, server: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"server": server})


def a_round(**connections: float) -> Figures:
    figures = Figures()
    for server, value in connections.items():
        figures.set(GAUGE, value, server)
    return figures


def opened(total: int) -> Figures:
    figures = Figures()
    figures.count(COUNTER, total, "a")
    return figures


def test_a_series_that_a_round_does_not_have_is_removed() -> None:
    publication = Publication([GAUGE])
    publication.publish(a_round(a=1, b=2))
    publication.publish(a_round(b=3))
    assert (shown("connections", "a"), shown("connections", "b")) == (None, 3)


def test_a_series_that_comes_back_is_shown_again() -> None:
    publication = Publication([GAUGE])
    for figures in (a_round(a=1), a_round(), a_round(), a_round(a=4)):
        publication.publish(figures)
    assert shown("connections", "a") == 4


def test_a_counter_grows_by_what_is_new_and_survives_a_restart_of_the_server() -> None:
    publication = Publication([])
    seen = []
    for total in (100, 103, 103, 2, 5):
        publication.publish(opened(total))
        seen.append(shown("opened_total", "a"))
    assert seen == [0, 3, 3, 5, 8]


def test_a_round_without_a_server_changes_no_counter() -> None:
    publication = Publication([])
    for figures in (opened(10), Figures(), opened(12)):
        publication.publish(figures)
    assert shown("opened_total", "a") == 2
