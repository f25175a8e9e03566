"""Commands for administrators, accounts and sessions, as part of ``python -m operations``."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from services.auth.administration import Administration
from services.auth.app import open_stores
from services.auth.core.entities import RequestSource, User
from services.auth.http.schemas import Email
from services.auth.settings import AuthSettings
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock
from shared.runtime.command_line import Groups, add_command, add_group
from shared.runtime.mongo_command import command_mongo
from shared.runtime.settings import load

Act = Callable[[Administration, argparse.Namespace], Awaitable[None]]

_ADDRESS: Final = TypeAdapter(Email)
_ANNOUNCED: Final = "gateways refuse their tokens within seconds while auth runs"


def add_groups(groups: Groups) -> None:
    """Add the groups `admins` and `users`. They need the settings of auth."""
    admins = add_group(groups, "admins", "Who has the role of an administrator.")
    _command(admins, "list", _list_admins)
    _who(_command(admins, "grant", _grant))
    _who(_command(admins, "revoke", _revoke))
    users = add_group(groups, "users", "Accounts, and their sessions.")
    listing = _command(users, "list", _list_users)
    listing.add_argument("--after", default="", metavar="EMAIL", help="only addresses after this")
    listing.add_argument("--limit", type=_count, help="at most so many (default: all)")
    _who(_command(users, "disable", _disable))
    _who(_command(users, "enable", _enable))
    ending = _command(users, "end-sessions", _end_sessions)
    which = ending.add_mutually_exclusive_group(required=True)
    which.add_argument("who", nargs="?", type=_account, help="e-mail address or user id")
    which.add_argument("--all", action="store_true", help="of all accounts, after a restore")


async def administer(settings: AuthSettings, act: Act, arguments: argparse.Namespace) -> None:
    """Call `act` with auth's database. Raises DatabaseFailed, Unavailable or NotFound."""
    source = RequestSource("local", f"operations, uid {os.getuid()}")
    async with command_mongo(settings.mongo) as mongo:
        stores = await open_stores(settings, mongo)
        await act(Administration(stores, source, SystemClock()), arguments)


async def _list_admins(administration: Administration, _: argparse.Namespace) -> None:
    """List the administrators."""
    for user in await administration.admins():
        print(_line(user))


async def _grant(administration: Administration, arguments: argparse.Namespace) -> None:
    """Make an account an administrator, from its next token on."""
    user = await administration.grant(arguments.who)
    print(f"{user.email} is an administrator now")


async def _revoke(administration: Administration, arguments: argparse.Namespace) -> None:
    """Take the role of an administrator back, and end the sessions that have it."""
    ended = await administration.take_back(arguments.who)
    print(f"{arguments.who} is no administrator any more; {_ended(ended)}")


async def _list_users(administration: Administration, arguments: argparse.Namespace) -> None:
    """List accounts by address, with id, state and time of the last login."""
    left = arguments.limit
    if left == 0:
        return
    async for user in administration.users(arguments.after):
        print(_line(user))
        if left is not None and (left := left - 1) == 0:
            return


async def _disable(administration: Administration, arguments: argparse.Namespace) -> None:
    """Disable an account and end its sessions."""
    print(f"{arguments.who} is disabled; {_ended(await administration.disable(arguments.who))}")


async def _enable(administration: Administration, arguments: argparse.Namespace) -> None:
    """Enable a disabled account."""
    await administration.enable(arguments.who)
    print(f"{arguments.who} is enabled")


async def _end_sessions(administration: Administration, arguments: argparse.Namespace) -> None:
    """End all sessions of one account, or of all."""
    if arguments.all:
        accounts, sessions = await administration.end_all_sessions()
        print(f"{accounts} accounts: {_ended(sessions)}")
    else:
        print(_ended(await administration.end_sessions(arguments.who)))


def _ended(sessions: int) -> str:
    return f"sessions ended: {sessions}; {_ANNOUNCED}"


def _line(user: User) -> str:
    state = "enabled" if user.disabled_at is None else f"disabled {_at(user.disabled_at)}"
    fields = (user.email, user.user_id, state, f"login {_at(user.last_login_at)}", *user.roles)
    return "\t".join(fields)


def _at(time: datetime | None) -> str:
    return "never" if time is None else f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _command(group: Groups, name: str, act: Act) -> argparse.ArgumentParser:
    def run(arguments: argparse.Namespace) -> int:
        asyncio.run(administer(load(AuthSettings), act, arguments))
        return exit_codes.OK

    return add_command(group, name, run, act.__doc__)


def _who(command: argparse.ArgumentParser) -> None:
    command.add_argument("who", type=_account, help="e-mail address or user id")


def _account(text: str) -> str:
    if "@" not in text:
        return text
    try:
        return _ADDRESS.validate_python(text)
    except ValidationError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an e-mail address") from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return int(text)
