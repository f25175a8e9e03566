"""Funds, positions, holdings, charges and margin as JSON objects with Upstox's field names.

Amounts are in rupees.
"""

from services.simulator.account.account import Funds
from services.simulator.account.charges import Charges
from services.simulator.account.holdings import Holding
from services.simulator.account.margin import Margin
from services.simulator.account.positions import Position
from services.simulator.market.state import SimulatedState
from services.simulator.orders.views import View, average_rupees


def funds_v2(funds: Funds) -> View:
    """The data of the v2 call; all funds are in `equity` since Upstox merged the segments."""
    empty = dict.fromkeys(
        (
            "used_margin",
            "payin_amount",
            "span_margin",
            "adhoc_margin",
            "notional_cash",
            "available_margin",
            "exposure_margin",
        ),
        0.0,
    )
    equity = empty | {
        "used_margin": (funds.used.total + funds.loss) / 100,
        "span_margin": funds.used.span / 100,
        "exposure_margin": funds.used.exposure / 100,
        "available_margin": funds.available / 100,
    }
    return {"equity": equity, "commodity": empty}


def funds_v3(funds: Funds) -> View:
    """The data of the v3 call, by its parts; nothing is pledged."""
    used = funds.used
    margin_used = {
        "total": (used.total + funds.loss) / 100,
        "mtf": 0.0,
        "loss": {
            "total": funds.loss / 100,
            "realised": funds.loss / 100,
            "unrealised": 0.0,
        },
        "span_exposure": (used.span + used.exposure) / 100,
        "cash_margin_var_elm": used.equity / 100,
        "premium_present": used.premium / 100,
        "delivery_margin": {"total": 0.0, "equity": 0.0, "fo_settlement": 0.0},
    }
    cash = {
        "opening_balance": funds.opening / 100,
        "added_today": 0.0,
        "withdrawn_today": 0.0,
        "amount_from_stock_sale": funds.stock_sale / 100,
        "unpaid_charges": 0.0,
    }
    pledged = {name: 0.0 for name in margin_used if name not in ("loss", "delivery_margin")}
    return {
        "available_to_trade": {
            "total": funds.available / 100,
            "cash_available_to_trade": {
                "total": funds.available / 100,
                "cash": cash,
                "margin_used": margin_used,
            },
            "pledge_available_to_trade": {
                "margin_from_pledge": {"total": 0.0, "equity": 0.0, "mutual_funds": 0.0},
                "margin_used": pledged | {"delivery_margin": margin_used["delivery_margin"]},
            },
        },
        "unavailable_to_trade": {
            "cash_unavailable_to_trade": {
                "unsettled_profit": {
                    "todays_profit": funds.unsettled_profit / 100,
                    "previous_days": 0.0,
                }
            },
            "pledge_unavailable_to_trade": {"equity": 0.0, "mutual_funds": 0.0},
        },
    }


def position_base(position: Position, state: SimulatedState) -> View:
    """A position without market prices and profit, as in the portfolio stream."""
    unit = position.multiplier
    overnight, overnight_value = position.overnight_quantity, position.overnight_paise / 100
    return {
        "exchange": state.instrument.exchange,
        "multiplier": float(position.multiplier),
        "value": (position.sell_paise - position.buy_paise) / 100,
        "product": position.product,
        "instrument_token": position.instrument_key,
        "average_price": average_rupees(position.open_paise, abs(position.quantity) * unit),
        "buy_value": position.buy_paise / 100,
        "overnight_quantity": overnight,
        "day_buy_value": position.day_buy_paise / 100,
        "day_buy_price": average_rupees(position.day_buy_paise, position.day_buy_quantity * unit),
        "overnight_buy_amount": max(overnight_value, 0.0),
        "overnight_buy_quantity": max(overnight, 0),
        "day_buy_quantity": position.day_buy_quantity,
        "day_sell_value": position.day_sell_paise / 100,
        "day_sell_price": average_rupees(
            position.day_sell_paise, position.day_sell_quantity * unit
        ),
        "overnight_sell_amount": max(-overnight_value, 0.0),
        "overnight_sell_quantity": max(-overnight, 0),
        "day_sell_quantity": position.day_sell_quantity,
        "quantity": position.quantity,
        "sell_value": position.sell_paise / 100,
        "tradingsymbol": state.instrument.symbol,
        "trading_symbol": state.instrument.symbol,
        "buy_price": average_rupees(position.buy_paise, position.buy_quantity * unit),
        "sell_price": average_rupees(position.sell_paise, position.sell_quantity * unit),
    }


def position_row(position: Position, state: SimulatedState) -> View:
    """A row of the positions call."""
    realised = position.realised_paise
    unrealised = position.unrealised_paise(state.ltp_paise)
    return position_base(position, state) | {
        "pnl": (realised + unrealised) / 100,
        "realised": realised / 100,
        "unrealised": unrealised / 100,
        "last_price": state.ltp_paise / 100,
        "close_price": state.close_paise / 100,
    }


def holding_base(holding: Holding, state: SimulatedState) -> View:
    """A holding without market prices and profit, as in the portfolio stream."""
    instrument = state.instrument
    return {
        "isin": instrument.isin,
        "cnc_used_quantity": holding.used_quantity,
        "collateral_type": "WC",
        "company_name": instrument.name,
        "haircut": 0.2,
        "product": "D",
        "quantity": holding.quantity,
        "tradingsymbol": instrument.symbol,
        "trading_symbol": instrument.symbol,
        "instrument_token": holding.instrument_key,
        "average_price": holding.average_paise / 100,
        "collateral_quantity": 0,
        "collateral_update_quantity": 0,
        "t1_quantity": holding.t1_quantity,
        "exchange": instrument.exchange,
    }


def holding_row(holding: Holding, state: SimulatedState) -> View:
    """A row of the holdings call."""
    quantity = holding.quantity + holding.t1_quantity
    change_paise = state.ltp_paise - state.close_paise
    return holding_base(holding, state) | {
        "last_price": state.ltp_paise / 100,
        "close_price": state.close_paise / 100,
        "pnl": (quantity * state.ltp_paise - holding.paid_paise) / 100,
        "day_change": change_paise / 100,
        "day_change_percentage": round(100 * change_paise / state.close_paise, 4),
    }


def charges_view(charges: Charges) -> View:
    """The data of the brokerage call."""
    return {
        "charges": {
            "total": charges.total / 100,
            "brokerage": charges.brokerage / 100,
            "taxes": {
                "gst": charges.gst / 100,
                "stt": charges.stt / 100,
                "stamp_duty": charges.stamp_duty / 100,
            },
            "otherTaxes": {
                "transaction": charges.transaction / 100,
                "clearing": 0.0,
                "sebi_turnover": charges.sebi_turnover / 100,
            },
            "dpPlan": {"name": "MANAGED", "min_expense": 20.0},
        }
    }


def margin_view(margins: list[Margin]) -> View:
    """The data of the margin call; without hedge benefit, so final and required are equal."""
    total = sum(each.total for each in margins) / 100
    rows = [
        {
            "span_margin": each.span / 100,
            "exposure_margin": each.exposure / 100,
            "equity_margin": each.equity / 100,
            "net_buy_premium": each.premium / 100,
            "additional_margin": 0.0,
            "total_margin": each.total / 100,
            "tender_margin": 0.0,
        }
        for each in margins
    ]
    return {"margins": rows, "required_margin": total, "final_margin": total}
