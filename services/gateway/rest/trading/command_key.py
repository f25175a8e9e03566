"""The header Idempotency-Key, which every command has."""

import re
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from services.gateway.rest.models import Input
from shared.contracts.trading import MAX_COMMAND_KEY_CHARS
from shared.errors import IdempotencyKeyMissing

HEADER: Final = "Idempotency-Key"
_PATTERN: Final = rf"^[A-Za-z0-9_.:-]{{1,{MAX_COMMAND_KEY_CHARS}}}$"
_KEY: Final = re.compile(_PATTERN)
_RULE: Final = (
    f"send one header {HEADER} with 1 to {MAX_COMMAND_KEY_CHARS} of the characters "
    "A-Z a-z 0-9 _ . : -"
)


class CommandHeaders(Input):
    """The headers of a command, for the OpenAPI document."""

    idempotency_key: Annotated[str, Field(alias=HEADER, pattern=_PATTERN)]
    """Chosen by the client, new for each command. A repeated command with the same key is not
    executed again for at least 24 hours, and gets the same answer."""


def command_key(request: web.Request) -> str:
    """The command's key. Raises IdempotencyKeyMissing if there is not exactly one valid key."""
    values = request.headers.getall(HEADER, [])
    if len(values) != 1 or _KEY.fullmatch(values[0]) is None:
        raise IdempotencyKeyMissing(_RULE, field=HEADER)
    return values[0]
