"""Gives an account the administrator's role: ``python -m services.auth.grant_admin EMAIL``."""

import asyncio
import sys
from typing import Final

from pydantic import TypeAdapter, ValidationError

from services.auth.app import open_stores
from services.auth.core.entities import Event, RequestSource, User
from services.auth.http.schemas import Email
from services.auth.settings import AuthSettings
from shared.contracts.roles import ADMIN_ROLE
from shared.errors import ConfigError, RequestError
from shared.market.exchange_time import to_datetime
from shared.runtime import exit_codes, logs
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import connect_mongo
from shared.runtime.settings import load

_CONNECT_TIMEOUT_SECS: Final = 10.0
_SOURCE: Final = RequestSource("local", "services.auth.grant_admin")


async def grant(settings: AuthSettings, email: str) -> User | None:
    """Give the account with this address the role; None if there is no such account.

    Raises Unavailable, or TimeoutError if the database does not answer.
    """
    readiness = Readiness("auth")
    async with (
        asyncio.timeout(_CONNECT_TIMEOUT_SECS),
        connect_mongo(settings.mongo, readiness) as mongo,
    ):
        stores = await open_stores(settings, mongo)
        user = await stores.users.grant(email, ADMIN_ROLE)
        if user is not None:
            now = to_datetime(SystemClock().now_ms())
            await stores.audit.add(Event.ADMIN_GRANTED, _SOURCE, now, user_id=user.user_id)
        return user


def main() -> int:
    """Grant the role and print the result, or the error on stderr; returns the exit code."""
    if len(sys.argv) != 2:
        print("usage: python -m services.auth.grant_admin EMAIL", file=sys.stderr)
        return exit_codes.CONFIG
    try:
        email = TypeAdapter(Email).validate_python(sys.argv[1])
        settings = load(AuthSettings)
        logs.configure(settings.log, "auth")
        user = asyncio.run(grant(settings, email))
    except ValidationError:
        print(f"{sys.argv[1]!r} is not an e-mail address", file=sys.stderr)
        return exit_codes.CONFIG
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return exit_codes.CONFIG
    except (RequestError, TimeoutError):
        print("the database does not answer", file=sys.stderr)
        return exit_codes.FAILED
    if user is None:
        print(f"there is no account with the address {email}; sign up first", file=sys.stderr)
        return exit_codes.FAILED
    print(f"{user.email} is an administrator now")
    return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main())
