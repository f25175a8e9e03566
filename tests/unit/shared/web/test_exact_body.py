"""JSON bodies with exact numbers."""

import asyncio
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader
from aiohttp.test_utils import make_mocked_request
from pydantic import BaseModel

from shared.errors import BadMessage, InvalidField
from shared.web.exact_body import read_exact_body


class Body(BaseModel):
    count: int = 0
    price: Any = None


async def parsed(body: bytes) -> Body:
    """The body of a request, parsed."""
    payload = StreamReader(Mock(), 65_536, loop=asyncio.get_running_loop())
    payload.feed_data(body)
    payload.feed_eof()
    request = make_mocked_request("POST", "/", payload=payload)
    return await read_exact_body(request, Body)


@pytest.mark.parametrize("digits", ["100.05", "0.1", "100.050000000000000000001", "1e400", "-0.0"])
async def test_a_number_with_a_fraction_or_exponent_keeps_every_digit(digits: str) -> None:
    price = (await parsed(b'{"price": %b}' % digits.encode())).price
    assert isinstance(price, Decimal)
    assert str(price) == str(Decimal(digits))


async def test_whole_numbers_and_texts_stay_as_they_are() -> None:
    assert await parsed(b'{"count": 3, "price": "1.50"}') == Body(count=3, price="1.50")
    assert (await parsed(b'{"price": %b}' % (b"9" * 100))).price == int("9" * 100)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b"\xff", b'"\\ud800"', b"[" * 100_000, b"1e99999999999999999999"]
)
async def test_what_is_not_json_is_a_bad_message(body: bytes) -> None:
    with pytest.raises(BadMessage):
        await parsed(body)


async def test_a_rule_that_the_body_breaks_is_named() -> None:
    with pytest.raises(InvalidField) as caught:
        await parsed(b'{"count": "many"}')
    assert caught.value.field == "count"
    with pytest.raises(InvalidField) as caught:
        await parsed(b"[]")
    assert caught.value.field == "body"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"count": 1, "count": 100}', "count"),
        (b'{"price": {"a": 1, "b": 2, "a": 3}}', "a"),
        (b'{"count": 1, "\\u0063ount": 1}', "count"),
    ],
)
async def test_a_member_that_is_repeated_is_refused(body: bytes, name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        await parsed(body)
    assert caught.value.field == name
