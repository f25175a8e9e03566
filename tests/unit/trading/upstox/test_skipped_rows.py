"""Bad rows are left out and counted; good ones are not lost with them."""

from prometheus_client import REGISTRY

from services.trading.upstox.order_rows import order_row
from services.trading.upstox.skipped_rows import SkippedRows
from tests.support.upstox_rows import ORDER


def skipped(field: str) -> float:
    labels = {"kind": "order", "field": field}
    return REGISTRY.get_sample_value("tradedad_trading_upstox_rows_skipped_total", labels) or 0


def test_each_bad_row_is_counted_by_its_field() -> None:
    before = skipped("status"), skipped("row")
    rows: list[object] = [ORDER, ORDER | {"status": "paused"}, 5, ORDER | {"status": "held"}, ORDER]
    assert SkippedRows().read_each("order", rows, order_row) == [order_row(ORDER)] * 2
    assert (skipped("status"), skipped("row")) == (before[0] + 2, before[1] + 1)
