"""The official SDK reads funds, positions, holdings, charges and reports in its own models."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import upstox_client

from tests.support.sdk import SDK_SECS

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]

RELIANCE = "NSE_EQ|INE002A01018"


def trade(client: Any, side: str, quantity: int, product: str = "I") -> Any:
    body = upstox_client.PlaceOrderV3Request(
        quantity=quantity,
        product=product,
        validity="DAY",
        price=0.0,
        instrument_token=RELIANCE,
        order_type="MARKET",
        transaction_type=side,
        disclosed_quantity=0,
        trigger_price=0.0,
        is_amo=False,
    )
    return upstox_client.OrderApiV3(client).place_order(body, _request_timeout=SDK_SECS)


async def test_fills_change_positions_and_funds(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        user, portfolio = upstox_client.UserApi(client), upstox_client.PortfolioApi(client)
        before = user.get_user_fund_margin("2.0", _request_timeout=SDK_SECS)
        trade(client, "BUY", 10)
        trade(client, "SELL", 4)
        return [
            before,
            user.get_user_fund_margin("2.0", segment="SEC", _request_timeout=SDK_SECS),
            user.get_user_fund_margin_v3(_request_timeout=SDK_SECS),
            portfolio.get_positions("2.0", _request_timeout=SDK_SECS),
            portfolio.get_mtf_positions(_request_timeout=SDK_SECS),
        ]

    before, after, detailed, positions, mtf = await sdk(work)
    assert before.data["equity"].available_margin == 1_000_000.0
    assert set(after.data) == {"equity"}
    [position] = positions.data
    assert (position.quantity, position.day_buy_quantity, position.day_sell_quantity) == (6, 10, 4)
    assert position.pnl == pytest.approx(position.realised + position.unrealised, abs=0.01)
    equity = after.data["equity"]
    assert equity.used_margin == pytest.approx(
        6 * position.average_price / 5 + max(0.0, -position.realised), abs=0.05
    )
    assert equity.available_margin == pytest.approx(1_000_000.0 - equity.used_margin, abs=0.01)
    cash = detailed.data.available_to_trade.cash_available_to_trade
    assert cash.total == equity.available_margin
    assert cash.margin_used.total == equity.used_margin
    assert mtf.data == []


async def test_a_delivery_sale_uses_holdings(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        api = upstox_client.PortfolioApi(client)
        before = api.get_holdings("2.0", _request_timeout=SDK_SECS)
        trade(client, "SELL", 5, "D")
        return [before, api.get_holdings("2.0", _request_timeout=SDK_SECS)]

    before, after = await sdk(work)
    assert len(before.data) == 3
    used = {row.instrument_token: row.cnc_used_quantity for row in after.data}
    assert used[RELIANCE] == 5


async def test_a_position_is_converted(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        trade(client, "BUY", 10)
        api = upstox_client.PortfolioApi(client)
        body = upstox_client.ConvertPositionRequest(
            instrument_token=RELIANCE,
            new_product="D",
            old_product="I",
            transaction_type="BUY",
            quantity=4,
        )
        converted = api.convert_positions(body, "2.0", _request_timeout=SDK_SECS)
        return [converted, api.get_positions("2.0", _request_timeout=SDK_SECS)]

    converted, positions = await sdk(work)
    assert converted.data.status == "complete"
    assert {row.product: row.quantity for row in positions.data} == {"I": 6, "D": 4}


async def test_a_refused_conversion_creates_no_position(http: aiohttp.ClientSession) -> None:
    body = {
        "instrument_token": RELIANCE,
        "new_product": "D",
        "old_product": "I",
        "transaction_type": "BUY",
        "quantity": 4,
    }
    async with http.put("/v2/portfolio/convert-position", json=body) as answer:
        assert answer.status == 400
    async with http.get("/v2/portfolio/short-term-positions") as answer:
        assert (await answer.json())["data"] == []


async def test_charges_and_margin_are_calculated(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        api = upstox_client.ChargeApi(client)
        leg = upstox_client.Instrument(
            instrument_key=RELIANCE, quantity=10, product="D", transaction_type="BUY", price=1_400.0
        )
        return [
            api.get_brokerage(RELIANCE, 10, "D", "BUY", 1_400.0, "2.0", _request_timeout=SDK_SECS),
            api.post_margin(upstox_client.MarginRequest([leg]), _request_timeout=SDK_SECS),
        ]

    brokerage, margin = await sdk(work)
    charges = brokerage.data.charges
    taxes = charges.taxes.gst + charges.taxes.stt + charges.taxes.stamp_duty
    others = charges.other_taxes.transaction + charges.other_taxes.sebi_turnover
    assert charges.total == pytest.approx(charges.brokerage + taxes + others)
    assert charges.taxes.stt == 14.0
    assert margin.data.required_margin == margin.data.final_margin == 14_000.0
    assert margin.data.margins[0].equity_margin == 14_000.0


async def test_reports_contain_the_trades(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        trade(client, "BUY", 10)
        trade(client, "SELL", 10)
        history = upstox_client.PostTradeApi(client)
        profit = upstox_client.TradeProfitAndLossApi(client)
        year = {"segment": "EQ", "financial_year": "2526", "api_version": "2.0"}
        pages = {"page_number": 1, "page_size": 100, "_request_timeout": SDK_SECS}
        return [
            history.get_trades_by_date_range("2026-01-01", "2026-01-31", 1, 100, segment="EQ"),
            profit.get_trade_wise_profit_and_loss_meta_data(**year, _request_timeout=SDK_SECS),
            profit.get_trade_wise_profit_and_loss_data(**year, **pages),
            profit.get_profit_and_loss_charges(
                **year, from_date="01-01-2026", to_date="31-01-2026", _request_timeout=SDK_SECS
            ),
        ]

    history, metadata, profit, charges = await sdk(work)
    assert sum(row.quantity for row in history.data) == 20
    assert history.meta_data.page.total_records == len(history.data)
    assert metadata.data.trades_count == len(profit.data)
    assert sum(row.quantity for row in profit.data) == 10
    assert profit.metadata.page.page_number == 1
    assert charges.data.charges_breakdown.total > 0


async def test_kill_switch_and_addresses_are_stored(sdk: Sdk) -> None:
    def work(client: Any) -> list[Any]:
        api = upstox_client.UserApi(client)
        before = api.get_kill_switch(_request_timeout=SDK_SECS)
        update = upstox_client.KillSwitchSegmentUpdateRequest(segment="NSE_EQ", action="ENABLE")
        after = api.update_kill_switch([update], _request_timeout=SDK_SECS)
        ips = upstox_client.UpdateUserIpRequest(primary_ip="10.0.0.1", secondary_ip="10.0.0.2")
        updated = api.update_user_ip(ips, _request_timeout=SDK_SECS)
        return [before, after, updated, api.get_user_ips(_request_timeout=SDK_SECS)]

    before, after, updated, ips = await sdk(work)
    assert [row["kill_switch_enabled"] for row in before.data if row["segment"] == "NSE_EQ"] == [
        False
    ]
    assert [row["kill_switch_enabled"] for row in after.data if row["segment"] == "NSE_EQ"] == [
        True
    ]
    assert updated.data.primary_ip == ips.data.primary_ip == "10.0.0.1"
    assert ips.data.primary_ip_updated_at
