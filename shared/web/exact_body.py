"""Reads JSON bodies with exact numbers: a number with a fraction or exponent is a Decimal."""

from decimal import Decimal
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from pydantic import BaseModel, ValidationError

from shared.errors import BadMessage
from shared.web.problems import first_error, read_bytes

M = TypeVar("M", bound=BaseModel)

# A parser that reads 100.05 as a float changes the digits that a client sent.
_DECODE: Final = msgspec.json.Decoder(float_hook=Decimal).decode


async def read_exact_body(request: web.Request, model: type[M]) -> M:
    """Parse the request's JSON body as `model`, like `read_body`, without floats."""
    body = await read_bytes(request)
    try:
        return model.model_validate(_DECODE(body))
    except ValidationError as error:
        raise first_error(error, "body") from None
    except ArithmeticError:
        raise BadMessage("the body has a number that is too large") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadMessage("the body is not valid JSON") from None
