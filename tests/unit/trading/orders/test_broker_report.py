"""The order of reports, whatever the order of their arrival."""

import pytest

from services.trading.orders.broker_report import UPSTOX_STATES, BrokerReport, BrokerState


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("put order req received", "open"),
        ("modify pending", "complete"),
        ("open", "cancelled"),
        ("cancel pending", "cancelled"),
        ("validation pending", "rejected"),
    ],
)
def test_a_later_status_has_a_higher_rank_even_if_its_time_is_earlier(
    earlier: str, later: str
) -> None:
    first = BrokerReport("b1", UPSTOX_STATES[earlier], 9_000)
    second = BrokerReport("b1", UPSTOX_STATES[later], 8_000)
    assert second.rank > first.rank
    assert second.age < first.age


def test_equal_reports_have_equal_rank_and_different_ones_do_not() -> None:
    report = BrokerReport("b1", BrokerState.WORKING, 1_000)
    assert report.rank == BrokerReport("b1", BrokerState.WORKING, 1_000).rank
    assert report.rank != BrokerReport("b1", BrokerState.WORKING, 1_000, detail="x").rank
