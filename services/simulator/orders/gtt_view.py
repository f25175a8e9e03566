"""GTT orders, as Upstox's answers name their fields."""

from typing import Any, Final

from services.simulator.market.state import InstrumentState
from services.simulator.orders.gtt import Gtt

_MICROS_PER_MILLI: Final = 1_000


def gtt_row(gtt: Gtt, state: InstrumentState) -> dict[str, Any]:
    """As details and the portfolio stream tell it; its times are microseconds."""
    return {
        "type": gtt.type,
        "exchange": state.instrument.segment,
        "quantity": gtt.quantity,
        "product": gtt.product,
        "trading_symbol": state.instrument.symbol,
        "instrument_token": gtt.instrument_key,
        "gtt_order_id": gtt.gtt_id,
        "created_at": gtt.created_ms * _MICROS_PER_MILLI,
        "expires_at": gtt.expires_ms * _MICROS_PER_MILLI,
        "rules": [
            {
                "strategy": rule.strategy,
                "status": rule.status,
                "message": rule.message or None,
                "trigger_type": rule.trigger_type,
                "trigger_price": rule.trigger_paise / 100,
                "transaction_type": gtt.request(rule).side,
                "order_id": rule.order_id,
                "trailing_gap": rule.trailing_gap_paise / 100 or None,
            }
            for rule in gtt.rules
        ],
    }
