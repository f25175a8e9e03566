"""Parses the arguments of the command line."""

import argparse
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from importlib.metadata import version
from typing import Any, Final

from tradedad_client.account_commands import (
    cancel_order,
    list_orders,
    modify_order,
    place_order,
    show_funds,
    show_positions,
)
from tradedad_client.environment import DEFAULT_URL
from tradedad_client.link_commands import (
    SECRET_VARIABLE,
    link_account,
    show_link,
    unlink_account,
)
from tradedad_client.link_messages import LinkPurpose
from tradedad_client.market_commands import (
    print_bars,
    print_chain,
    print_gaps,
    search,
    show_status,
)
from tradedad_client.order_terms import Account, OrderType, Product, Side, Validity
from tradedad_client.watch import watch

_ENVIRONMENT: Final = """\
TRADEDAD_CLIENT_EMAIL and TRADEDAD_CLIENT_PASSWORD of the environment are the credentials, or
TRADEDAD_CLIENT_TOKEN. TRADEDAD_CLIENT_URL is the address of the gateway, if --url is not given.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; `run` of the options is the command's function."""
    root = argparse.ArgumentParser(prog="tradedad_client", epilog=_ENVIRONMENT)
    root.add_argument("--version", action="version", version=version("trade-dad-client"))
    commands = root.add_subparsers(required=True)
    _add_market(commands)
    orders = commands.add_parser("order", help="place, cancel and list orders")
    of_orders = orders.add_subparsers(required=True)
    _add_place(of_orders)
    _add_modify(of_orders)
    cancelling = _add(of_orders, "cancel", "cancel an open order", cancel_order)
    cancelling.add_argument("order_id", metavar="ORDER_ID")
    _add_command_key(cancelling)
    listing = _add(of_orders, "list", "list the orders of the trading day", list_orders)
    listing.add_argument("--open", action="store_true", help="only those that can still be filled")
    positions = _add(commands, "positions", "show the positions of the day", show_positions)
    funds = _add(commands, "funds", "show the money of an account", show_funds)
    for command in (listing, positions, funds):
        _add_account(command)
    _add_links(commands)
    for command in (cancelling, listing, positions, funds):
        _add_json(command)
    return root


def _add(commands: Any, name: str, description: str, run: object) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=description, description=description, epilog=_ENVIRONMENT
    )
    command.add_argument("--url", help=f"address of the gateway, by default {DEFAULT_URL}")
    command.add_argument(
        "--auth-url", help="address of auth, if the gateway does not forward to it"
    )
    command.set_defaults(run=run)
    return command


def _add_market(commands: Any) -> None:
    watching = _add(commands, "watch", "print live quotes", watch)
    watching.add_argument(
        "instruments",
        nargs="+",
        metavar="INSTRUMENT",
        help="RELIANCE, NSE_EQ|INE002A01018, NSE_EQ|*",
    )
    watching.add_argument(
        "--interval-ms",
        type=int,
        help="print the newest quote of each instrument once per interval",
    )
    watching.add_argument("--count", type=_count, help="exit after this number of quotes")
    searching = _add(commands, "search", "search instruments", search)
    searching.add_argument("words", nargs="+", metavar="WORD", help="reliance, nifty 24000 ce")
    searching.add_argument("--type", action="append", help="EQ, INDEX, FUT, CE, PE and others")
    searching.add_argument("--segment", action="append", help="NSE_EQ, NSE_FO and others")
    searching.add_argument("--expiry", help="YYYY-MM-DD")
    searching.add_argument("--limit", type=int, default=20, help="at most 50")
    barring = _add(commands, "bars", "print bars of an instrument", print_bars)
    barring.add_argument(
        "--interval", default="5m", help="1m, 3m, 5m, 15m, 30m, 1h or 1d; by default 5m"
    )
    missing = _add(commands, "gaps", "print when trades may have been missed", print_gaps)
    for command in (barring, missing):
        command.add_argument("instrument", metavar="INSTRUMENT", help="RELIANCE, NSE_EQ|INE...")
        command.add_argument("--start", required=True, help="2026-11-23, 2026-11-23T09:15:00+05:30")
        command.add_argument("--end", help="exclusive; by default now")
    options = _add(commands, "chain", "print the options on an instrument", print_chain)
    options.add_argument("underlying", metavar="INSTRUMENT", help="'Nifty 50', RELIANCE")
    options.add_argument("--expiry", help="YYYY-MM-DD, by default the nearest")
    status = _add(commands, "status", "show the state of the feed and the gateway", show_status)
    for command in (watching, searching, barring, missing, options, status):
        _add_form(command)


def _add_form(command: argparse.ArgumentParser) -> None:
    command.set_defaults(form="text")
    forms = command.add_mutually_exclusive_group()
    for form, text in (("json", "print JSON, one line each"), ("csv", "print CSV with a header")):
        forms.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=text)


def _add_place(commands: Any) -> None:
    command = _add(commands, "place", "place an order", place_order)
    _add_account(command)
    command.add_argument("side", type=_upper, choices=_values(Side))
    command.add_argument("quantity", type=int, help="in units; on MCX in lots")
    command.add_argument("key", metavar="INSTRUMENT", help="RELIANCE, NSE_EQ|INE002A01018")
    command.add_argument(
        "--product",
        type=_upper,
        choices=_values(Product),
        required=True,
        help="I: intraday; D: delivery, of derivatives carried forward; MTF: margin trading facility",
    )
    command.add_argument("--type", type=_upper, choices=_values(OrderType), required=True)
    command.add_argument("--validity", type=_upper, choices=_values(Validity), default="DAY")
    _add_amounts(command)
    command.add_argument("--disclosed-quantity", type=int, default=0)
    command.add_argument("--protection-percent", type=_amount, help="of MARKET and SL-M")
    command.add_argument("--preview", action="store_true", help="check the order only")
    _add_command_key(command)
    _add_json(command)


def _add_modify(commands: Any) -> None:
    command = _add(commands, "modify", "change terms of an open order", modify_order)
    command.add_argument("order_id", metavar="ORDER_ID")
    command.add_argument("--quantity", type=int, help="of the whole order, fills included")
    command.add_argument("--type", type=_upper, choices=_values(OrderType))
    command.add_argument("--validity", type=_upper, choices=_values(Validity))
    _add_amounts(command)
    command.add_argument("--disclosed-quantity", type=int)
    command.add_argument("--preview", action="store_true", help="check the new terms only")
    _add_command_key(command)
    _add_json(command)


def _add_amounts(command: argparse.ArgumentParser) -> None:
    command.add_argument("--price", type=_amount, help="the limit, in rupees")
    command.add_argument("--trigger-price", type=_amount, help="in rupees")


def _add_links(commands: Any) -> None:
    linking = _add(commands, "link", "link an Upstox account by a login", link_account)
    how = linking.add_mutually_exclusive_group()
    how.add_argument(
        "--client-id", help=f"of your own app at Upstox; its secret is read from {SECRET_VARIABLE}"
    )
    how.add_argument("--ask", action="store_true", help="let Upstox ask for a new token")
    unlinking = _add(commands, "unlink", "log out at Upstox and forget the link", unlink_account)
    status = _add(commands, "link-status", "show the link to an Upstox account", show_link)
    for command in (linking, unlinking, status):
        command.add_argument(
            "--purpose",
            choices=_values(LinkPurpose),
            default=LinkPurpose.TRADING.value,
            help="feed: the account of the market feed, for administrators",
        )
        _add_json(command)


def _add_account(command: argparse.ArgumentParser) -> None:
    command.add_argument("--account", choices=_values(Account), required=True)


def _add_command_key(command: argparse.ArgumentParser) -> None:
    command.add_argument("--command-key", help="the key of a command whose outcome is not known")


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print the answer as JSON")


def _values(kind: type[StrEnum]) -> list[str]:
    return [one.value for one in kind]


def _upper(text: str) -> str:
    return text.upper()


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


def _amount(text: str) -> Decimal:
    """The exact amount. argparse names the argument of a ValueError."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"not a number: {text!r}") from None
    if not amount.is_finite():
        raise argparse.ArgumentTypeError(f"not a finite number: {text!r}")
    return amount
