"""Python programs in documents, made to run against a stack under test."""

import re
from pathlib import Path
from typing import Final

from embedded.signup import Account
from embedded.stack import Stack

_PROGRAM: Final = re.compile(r"```python\n(.*?)```", re.DOTALL)


def programs(page: Path, stack: Stack, account: Account) -> list[str]:
    """The programs of a document, with the address of a stack and the credentials of an account."""
    actual = {
        "http://127.0.0.1:7400": stack.plan.url("TRADEDAD_GATEWAY_PORT"),
        "me@example.com": account.email,
        "a long sentence is best": account.password,
    }
    found = []
    for program in _PROGRAM.findall(page.read_text()):
        for documented, value in actual.items():
            program = program.replace(documented, value)
        found.append(program)
    return found


def client_environment(stack: Stack, account: Account) -> dict[str, str]:
    """The variables that programs with the Python client read."""
    return {
        "TRADEDAD_CLIENT_URL": stack.plan.url("TRADEDAD_GATEWAY_PORT"),
        "TRADEDAD_CLIENT_EMAIL": account.email,
        "TRADEDAD_CLIENT_PASSWORD": account.password,
    }
