"""Instruments are requested once an hour, and the cache is bounded."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from services.trading.bus.instruments import MAX_AGE_SECS, Instruments
from shared.bus.requests import ERROR_HEADER, ErrorReply
from shared.contracts.instruments import INSTRUMENTS_GET, GetReply, GetRequest, Instrument
from shared.errors import Code, InvalidField, Overloaded, RequestError, TimedOut, Unavailable
from tests.support.builders import KEY, OTHER_KEY
from tests.support.virtual_time import LoopClock, on_virtual_time, stall


def instrument(key: str = KEY, **more: Any) -> Instrument:
    fields = {"symbol": "X", "name": "X", "segment": "NSE_EQ", "exchange": "NSE", "type": "EQ"}
    return Instrument(key=key, **(fields | more))


class PersisterBus:
    """Answers requests for instruments as the persister does."""

    is_connected = True

    def __init__(self, *known: Instrument) -> None:
        self.client = self
        self.known = {one.key: one for one in known}
        self.requests: list[str] = []
        self.error: Exception | None = None
        self.refusal: ErrorReply | None = None

    async def request(
        self,
        subject: str,
        data: bytes,
        timeout: float,  # noqa: ASYNC109 - as nats-py names it
        headers: Mapping[str, str],
    ) -> Msg:
        assert subject == INSTRUMENTS_GET
        (key,) = msgspec.json.decode(data, type=GetRequest).keys
        self.requests.append(key)
        if self.error is not None:
            raise self.error
        client: Any = None
        if self.refusal is not None:
            body = msgspec.json.encode(self.refusal)
            return Msg(client, data=body, headers={ERROR_HEADER: self.refusal.code.value})
        found = [self.known[key]] if key in self.known else []
        unknown = [] if found else [key]
        return Msg(client, data=msgspec.json.encode(GetReply(instruments=found, unknown=unknown)))


def instruments_on(bus: PersisterBus, max_cached: int = 10) -> Instruments:
    untyped: Any = bus
    return Instruments(untyped, LoopClock(), timeout_secs=2, max_cached=max_cached)


@on_virtual_time
async def test_an_instrument_is_requested_once_an_hour() -> None:
    bus = PersisterBus(instrument())
    instruments = instruments_on(bus)
    assert await instruments.get(KEY) == instrument()
    await stall(MAX_AGE_SECS - 1)
    assert await instruments.get(KEY) == instrument()
    assert bus.requests == [KEY]
    bus.known[KEY] = instrument(lot_size=2)
    await stall(1)
    assert await instruments.get(KEY) == instrument(lot_size=2)
    assert bus.requests == [KEY, KEY]


@on_virtual_time
async def test_an_unknown_key_is_asked_for_again() -> None:
    bus = PersisterBus()
    instruments = instruments_on(bus)
    assert await instruments.get(KEY) is None
    bus.known[KEY] = instrument()
    assert await instruments.get(KEY) == instrument()


@on_virtual_time
async def test_an_instrument_that_has_left_the_master_is_unknown_after_an_hour() -> None:
    bus = PersisterBus(instrument())
    instruments = instruments_on(bus)
    await instruments.get(KEY)
    del bus.known[KEY]
    await stall(MAX_AGE_SECS)
    assert await instruments.get(KEY) is None


@on_virtual_time
async def test_the_instrument_that_was_not_used_for_longest_is_dropped() -> None:
    third = "NSE_EQ|INE467B01029"
    bus = PersisterBus(instrument(), instrument(OTHER_KEY), instrument(third))
    instruments = instruments_on(bus, max_cached=2)
    for key in (KEY, OTHER_KEY, KEY, third):
        await instruments.get(key)
    bus.requests.clear()
    await instruments.get(KEY)
    await instruments.get(third)
    assert bus.requests == []
    await instruments.get(OTHER_KEY)
    assert bus.requests == [OTHER_KEY]


@pytest.mark.parametrize("key", ["", "NSE_EQ", "NSE_EQ|", "a|b|c", "NSE_EQ|" + "x" * 128])
@on_virtual_time
async def test_a_malformed_key_is_refused_without_a_request(key: str) -> None:
    bus = PersisterBus()
    with pytest.raises(InvalidField):
        await instruments_on(bus).get(key)
    assert bus.requests == []


@pytest.mark.parametrize(
    ("error", "expected"), [(TimeoutError(), TimedOut), (NoRespondersError(), Unavailable)]
)
@on_virtual_time
async def test_a_persister_that_does_not_answer_is_an_error_and_not_an_unknown_key(
    error: Exception, expected: type[RequestError]
) -> None:
    bus = PersisterBus(instrument())
    bus.error = error
    instruments = instruments_on(bus)
    with pytest.raises(expected):
        await instruments.get(KEY)
    bus.error = None
    assert await instruments.get(KEY) == instrument()


@on_virtual_time
async def test_the_refusal_of_the_persister_is_raised() -> None:
    bus = PersisterBus()
    bus.refusal = ErrorReply(Code.OVERLOADED, "too many requests")
    with pytest.raises(Overloaded, match="too many requests"):
        await instruments_on(bus).get(KEY)
