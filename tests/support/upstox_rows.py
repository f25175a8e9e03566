"""Rows as Upstox's documentation shows them, and values that must not be in them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from services.trading.upstox.row_fields import BadRow

ORDER: Final[dict[str, Any]] = {
    "exchange": "NSE", "product": "I", "price": Decimal("1400.05"), "quantity": 10,
    "status": "open", "guid": None, "tag": "o-1", "instrument_token": "NSE_EQ|INE002A01018",
    "placed_by": "AB1234", "tradingsymbol": "RELIANCE", "trading_symbol": "RELIANCE",
    "order_type": "LIMIT", "validity": "DAY", "trigger_price": 0.0, "disclosed_quantity": 0,
    "transaction_type": "BUY", "average_price": 0.0, "filled_quantity": 4, "pending_quantity": 6,
    "status_message": None, "status_message_raw": None, "exchange_order_id": "1300000012345678",
    "parent_order_id": "NA", "order_id": "251128000000001", "variety": "SIMPLE",
    "order_timestamp": "2025-11-28 10:00:00", "exchange_timestamp": "2025-11-28 10:00:01",
    "is_amo": False, "order_request_id": "1", "order_ref_id": "X1",
}  # fmt: skip

TRADE: Final[dict[str, Any]] = {
    "exchange": "NSE", "product": "D", "trading_symbol": "GMRINFRA-EQ",
    "tradingsymbol": "GMRINFRA-EQ", "instrument_token": "151064324", "order_type": "MARKET",
    "transaction_type": "BUY", "quantity": 1, "exchange_order_id": "221013001021540",
    "order_id": "221013001021539", "exchange_timestamp": "03-Aug-2017 15:03:42",
    "average_price": 299.4, "trade_id": "50091502", "order_ref_id": "udapi-aqwsed14356",
    "order_timestamp": "23-Apr-2021 14:22:06",
}  # fmt: skip

OPTION_POSITION: Final[dict[str, Any]] = {
    "exchange": "NFO", "multiplier": 1.0, "value": 39.75, "pnl": 26.25, "product": "D",
    "instrument_token": "NSE_FO|52618", "average_price": 2.65, "buy_value": 0.0,
    "overnight_quantity": 15, "day_buy_value": 0.0, "day_buy_price": 0.0,
    "overnight_buy_amount": 39.75, "overnight_buy_quantity": 15, "day_buy_quantity": 0,
    "day_sell_value": 0.0, "day_sell_price": 0.0, "overnight_sell_amount": 0.0,
    "overnight_sell_quantity": 0, "day_sell_quantity": 0, "quantity": 15, "last_price": 1.75,
    "unrealised": -658304.25, "realised": -0.0, "sell_value": 0.0,
    "trading_symbol": "BANKNIFTY23OCT38000PE", "tradingsymbol": "BANKNIFTY23OCT38000PE",
    "close_price": 1.95, "buy_price": 2.65, "sell_price": 0.0,
}  # fmt: skip

SHARE_POSITION: Final[dict[str, Any]] = OPTION_POSITION | {
    "exchange": "BSE", "value": 0.8, "pnl": 0.01, "instrument_token": "BSE_EQ|INE220J01025",
    "average_price": None, "buy_value": 0.8, "overnight_quantity": 0, "day_buy_value": 0.8,
    "day_buy_price": 0.8, "overnight_buy_amount": 0.0, "overnight_buy_quantity": 0,
    "day_buy_quantity": 1, "quantity": 1, "last_price": 0.81, "unrealised": 0.01,
    "trading_symbol": "FCONSUMER", "tradingsymbol": "FCONSUMER", "close_price": 0.85,
    "buy_price": 0.8,
}  # fmt: skip

HOLDING: Final[dict[str, Any]] = {
    "isin": "INE036A01016", "cnc_used_quantity": 0, "collateral_type": "WC",
    "company_name": "RELIANCE INFRASTRUCTURE", "haircut": 0.2, "product": "D", "quantity": 3,
    "tradingsymbol": "RELINFRA", "last_price": 174.25, "close_price": 174.25, "pnl": -54.9,
    "day_change": 0, "day_change_percentage": 0, "instrument_token": "NSE_EQ|INE036A01016",
    "average_price": 192.55, "collateral_quantity": 0, "collateral_update_quantity": 0,
    "t1_quantity": 2, "exchange": "NSE",
}  # fmt: skip

FUNDS: Final[dict[str, Any]] = {
    "available_to_trade": {
        "total": 5379.03,
        "cash_available_to_trade": {
            "total": 5117.34,
            "cash": {"opening_balance": 5137.34, "added_today": 110.0, "withdrawn_today": -130.0},
            "margin_used": {"total": 0.0},
        },
        "pledge_available_to_trade": {"total": 261.69, "margin_used": {"total": 1.8}},
    },
    "unavailable_to_trade": {},
}

ANY_JSON: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300)
    | st.floats()
    | st.decimals()
    | st.sampled_from([Decimal("1e999999"), Decimal("-1e-999999"), Decimal("9" * 40)])
    | st.text(max_size=12)
    | st.sampled_from(["NA", "", "open", "BUY", "2025-02-30 10:00:00", "31-Foo-2025 10:00:00"])
    | st.text(min_size=201, max_size=210),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@st.composite
def damaged(draw: st.DrawFn, row: dict[str, Any]) -> object:
    """The row with some fields missing or replaced by anything; now and then no row at all."""
    if draw(st.integers(0, 20)) == 0:
        return draw(ANY_JSON)
    changed = dict(row)
    for field in draw(st.lists(st.sampled_from(sorted(row)), min_size=1, max_size=3)):
        if draw(st.booleans()):
            changed.pop(field, None)
        else:
            changed[field] = draw(ANY_JSON)
    return changed


def wrong_field(read: Callable[[object], object], row: object) -> str | None:
    """The field that BadRow names; None if the row can be read."""
    try:
        read(row)
    except BadRow as error:
        return error.field
    return None
