"""Commands of the command line for links to Upstox accounts."""

import argparse
import asyncio
import os
import sys
from typing import Any, Final

import msgspec

from tradedad_client.client import Client
from tradedad_client.environment import variable
from tradedad_client.line_input import read_line
from tradedad_client.link_messages import LinkLogin, LinkPurpose, LinkStatus
from tradedad_client.times import minute_text

SECRET_VARIABLE: Final = variable("upstox_secret")
"""A secret among the arguments could be read by all users of the machine."""
_LOGIN_SECS: Final = 600.0
"""How long a login may take."""


async def link_account(client: Client, options: argparse.Namespace) -> None:
    """Link an account by a login at Upstox, or let Upstox ask the user.

    Without standard input, the login is only started.
    """
    purpose = LinkPurpose(options.purpose)
    if options.ask:
        status = await client.trading.request_link(purpose=purpose)
        _print(options, status, format_link(status))
        return
    secret = None
    if options.client_id is not None:
        secret = os.environ.get(SECRET_VARIABLE)
        if not secret:
            raise ValueError(f"set {SECRET_VARIABLE} to the secret of the app")
    login = await client.trading.link(
        purpose=purpose, client_id=options.client_id, client_secret=secret
    )
    _print(options, login, format_login(login))
    answer = await _read_answer()
    if answer:
        status = await client.trading.finish_link(answer)
        _print(options, status, format_link(status))


async def _read_answer() -> str:
    """Ask for the text of the page after the login; empty if there is no standard input.

    Raises ValueError if it does not come while the login lasts.
    """
    print("Copy the text of the page after the login to here:", file=sys.stderr, flush=True)
    try:
        async with asyncio.timeout(_LOGIN_SECS):
            return (await read_line() or "").strip()
    except TimeoutError:
        raise ValueError("the login has ended after ten minutes; start again") from None


async def unlink_account(client: Client, options: argparse.Namespace) -> None:
    """Log out at Upstox and forget the link."""
    status = await client.trading.unlink(purpose=LinkPurpose(options.purpose))
    _print(options, status, format_link(status))


async def show_link(client: Client, options: argparse.Namespace) -> None:
    """Show the state of the link."""
    status = await client.trading.link_status(purpose=LinkPurpose(options.purpose))
    _print(options, status, format_link(status))


def format_login(login: LinkLogin) -> list[str]:
    """Return the instructions for the login as text."""
    return [
        f"Open this address in your browser before {minute_text(login.expires_at)}, and give it to nobody:",
        login.login_url,
    ]


def format_link(status: LinkStatus) -> list[str]:
    """Format the state of a link, its account, and why it cannot be used."""
    name = "" if status.user_name is None else f" ({status.user_name})"
    account = "" if status.upstox_user_id is None else f"  {status.upstox_user_id}{name}"
    app = "  own app" if status.own_app else ""
    until = "" if status.expires_at is None else f"  until {minute_text(status.expires_at)}"
    lines = [f"{status.state}{account}{app}{until}"]
    if status.detail is not None:
        lines.append(status.detail)
    if status.purpose is LinkPurpose.TRADING and not status.live_trading:
        lines.append("the operator does not allow orders on Upstox accounts")
    return lines


def _print(options: argparse.Namespace, answer: Any, lines: list[str]) -> None:
    text = msgspec.json.encode(answer).decode() if options.json else "\n".join(lines)
    print(text, flush=True)  # before it waits for input
