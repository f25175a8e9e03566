"""Address and credentials of a client from environment variables."""

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

PREFIX: Final = "TRADEDAD_CLIENT_"
DEFAULT_URL: Final = "http://127.0.0.1:7400"
"""The gateway of `make run`."""
OPTIONS: Final = ("url", "auth_url", "email", "password", "token")
_CREDENTIALS: Final = frozenset(("email", "password", "token", "ask_token"))


def variable(option: str) -> str:
    """Return the name of the variable of an option."""
    return PREFIX + option.upper()


def options_of_environment(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a client: `options`, and what they lack from the environment.

    Credentials are all given or all read. Raises ValueError if there are none, or if those of the
    environment do not fit together.
    """
    given = {name for name, value in options.items() if value is not None}
    skipped = given | (_CREDENTIALS if given & _CREDENTIALS else set())
    read = {name: os.environ.get(variable(name)) for name in OPTIONS if name not in skipped}
    found = {name: value for name, value in read.items() if value} | {
        name: options[name] for name in given
    }
    if not given & _CREDENTIALS:
        _check_variables(found.keys() & _CREDENTIALS)
    return found


def _check_variables(names: AbstractSet[str]) -> None:
    email, password, token = map(variable, ("email", "password", "token"))
    if not names:
        raise ValueError(f"there are no credentials: set {email} and {password}, or {token}")
    if len(names) > 1 and "token" in names:
        raise ValueError(f"set either {email} and {password}, or {token}")
    if "token" not in names and len(names) == 1:
        raise ValueError(f"set both {email} and {password}")
