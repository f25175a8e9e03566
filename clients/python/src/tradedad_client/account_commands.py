"""Commands of the command line for orders, positions and funds."""

import argparse
import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import msgspec

from tradedad_client.client import Client
from tradedad_client.errors import ClientError, UnknownInstrument
from tradedad_client.order_terms import Account, NewOrder, OrderType, Product, Side, Validity
from tradedad_client.output import note
from tradedad_client.trading_messages import Funds, Order, Positions, Preview

_SYMBOLS_SECS: Final = 5.0
_NO_SYMBOLS: Final[Mapping[str, str]] = MappingProxyType({})
_HEADING: Final = (
    *("instrument", "product", "quantity"),
    *("average", "ltp", "realised", "unrealised"),
)


async def place_order(client: Client, options: argparse.Namespace) -> None:
    """Place an order, or only check it."""
    order = NewOrder(
        account=Account(options.account),
        key=options.key,
        side=Side(options.side),
        product=Product(options.product),
        quantity=options.quantity,
        order_type=OrderType(options.type),
        validity=Validity(options.validity),
        price=options.price,
        trigger_price=options.trigger_price,
        disclosed_quantity=options.disclosed_quantity,
        market_protection_percent=options.protection_percent,
    )
    if options.preview:
        preview = await client.trading.preview(order)
        _print(options, preview, format_preview(preview))
    else:
        placed = await client.trading.place(order, command_key=options.command_key)
        _print(options, placed, [format_order(placed, {placed.key: options.key})])


async def modify_order(client: Client, options: argparse.Namespace) -> None:
    """Change terms of an open order, or only check them."""
    changes: dict[str, Any] = {
        "quantity": options.quantity,
        "order_type": options.type and OrderType(options.type),
        "validity": options.validity and Validity(options.validity),
        "price": options.price,
        "trigger_price": options.trigger_price,
        "disclosed_quantity": options.disclosed_quantity,
    }
    if options.preview:
        preview = await client.trading.preview_changes(options.order_id, **changes)
        _print(options, preview, format_preview(preview))
    else:
        order = await client.trading.modify(
            options.order_id, **changes, command_key=options.command_key
        )
        _print(options, order, [format_order(order)])


async def cancel_order(client: Client, options: argparse.Namespace) -> None:
    """Cancel an order."""
    order = await client.trading.cancel(options.order_id, command_key=options.command_key)
    _print(options, order, [format_order(order)])


async def list_orders(client: Client, options: argparse.Namespace) -> None:
    """List the orders of the trading day, the newest first."""
    account = Account(options.account)
    orders = await client.trading.orders(account, open_only=options.open)
    symbols = {} if options.json else await _symbols(client, (order.key for order in orders))
    _print(options, orders, [format_order(order, symbols) for order in orders])


async def show_positions(client: Client, options: argparse.Namespace) -> None:
    """Show the positions of the trading day."""
    positions = await client.trading.positions(Account(options.account))
    keys = (one.key for one in positions.positions)
    symbols = {} if options.json else await _symbols(client, keys)
    _print(options, positions, format_positions(positions, symbols))


async def show_funds(client: Client, options: argparse.Namespace) -> None:
    """Show the money of an account."""
    funds = await client.trading.funds(Account(options.account))
    _print(options, funds, format_funds(funds))


async def _symbols(client: Client, keys: Iterable[str]) -> dict[str, str]:
    """Return the symbol of each key that is known. Orders are shown also if none can be had."""
    wanted = set(keys)
    try:
        async with asyncio.timeout(_SYMBOLS_SECS):
            while wanted:
                try:
                    found = await client.instruments.get_many(wanted)
                except UnknownInstrument as unknown:
                    wanted.difference_update(unknown.names)
                else:
                    return {one.key: one.symbol for one in found}
    except (ClientError, TimeoutError) as error:
        note(f"the symbols are not known: {str(error) or 'no answer in time'}")
    return {}


def format_order(order: Order, symbols: Mapping[str, str] = _NO_SYMBOLS) -> str:
    """Format an order: id, state, filled and whole quantity, terms, average price, reason."""
    limit = "" if order.price is None else f" {order.price}"
    trigger = "" if order.trigger_price is None else f" trigger {order.trigger_price}"
    average = "" if order.average_price is None else f"  average {order.average_price}"
    reason = "" if order.detail is None else f"  {order.detail}"
    return (
        f"{order.order_id}  {order.state}  {order.side} {order.filled_quantity}/{order.quantity} "
        f"{symbols.get(order.key, order.key)}  {order.product} {order.order_type}{limit}{trigger} {order.validity}"
        f"{average}{reason}"
    )


def format_positions(positions: Positions, symbols: Mapping[str, str] = _NO_SYMBOLS) -> list[str]:
    """Format positions, one on a line, and the charges of the day."""
    rows = [
        (
            symbols.get(one.key, one.key),
            one.product.value,
            str(one.quantity),
            *map(_amount, (one.average_price, one.ltp, one.realised, one.unrealised)),
        )
        for one in positions.positions
    ]
    lines = [
        f"{name:<28} {product:<7} {quantity:>8} " + " ".join(f"{amount:>12}" for amount in amounts)
        for name, product, quantity, *amounts in ([_HEADING, *rows] if rows else [])
    ]
    return [*lines, f"charges {_amount(positions.charges)}"]


def format_funds(funds: Funds) -> list[str]:
    """Format each amount on a line."""
    amounts = msgspec.structs.asdict(funds)
    del amounts["account"]
    return [f"{name:<16} {_amount(amount):>16}" for name, amount in amounts.items()]


def format_preview(preview: Preview) -> list[str]:
    """Format the checks that refuse the order, and its margin and charges."""
    lines = [
        f"refused by {rule.rule}: {rule.detail} (limit {rule.limit}, value {rule.value})"
        for rule in preview.rules
        if not rule.passed
    ]
    charges = None if preview.charges is None else preview.charges.total
    amounts = {
        "value": preview.value,
        "margin": preview.margin,
        "charges": charges,
        "available": preview.available,
    }
    return [
        "the order passes all checks" if preview.passed else "the order would be refused",
        *lines,
        *(f"{name:<16} {_amount(amount):>16}" for name, amount in amounts.items()),
    ]


def _amount(amount: Decimal | None) -> str:
    return "-" if amount is None else str(amount)


def _print(options: argparse.Namespace, answer: Any, lines: list[str]) -> None:
    text = msgspec.json.encode(answer).decode() if options.json else "\n".join(lines)
    if text:
        print(text)
