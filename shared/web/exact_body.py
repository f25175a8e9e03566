"""Reads JSON bodies with exact numbers: a number with a fraction or exponent is a Decimal."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web
from pydantic import BaseModel, ValidationError

from shared.errors import BadMessage, InvalidField
from shared.web.problems import first_error, read_bytes

_MAX_NAME_CHARS: Final = 40

M = TypeVar("M", bound=BaseModel)

# A parser that reads 100.05 as a float changes the digits that a client sent.
_DECODE: Final = msgspec.json.Decoder(float_hook=Decimal).decode


async def read_exact_body(request: web.Request, model: type[M]) -> M:
    """Parse the request's JSON body as `model`, like `read_body`, without floats.

    A member that is repeated is refused too: two readers could take different values.
    """
    body = await read_bytes(request)
    try:
        decoded = _DECODE(body)
        json.loads(body, object_pairs_hook=_refuse_repetitions)
        return model.model_validate(decoded)
    except ValidationError as error:
        raise first_error(error, "body") from None
    except ArithmeticError:
        raise BadMessage("the body has a number that is too large") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BadMessage("the body is not valid JSON") from None


def _refuse_repetitions(members: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in members}
    if len(names) != len(members):
        repeated = next(name for name, count in Counter(n for n, _ in members).items() if count > 1)
        name = repeated[:_MAX_NAME_CHARS]
        raise InvalidField(f"{name}: given more than once", field=name)
