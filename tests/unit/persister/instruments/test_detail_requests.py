"""An instrument's reference data is read once a day, and its absence is no error."""

import asyncio

import pytest

from services.persister.instruments.detail_requests import DetailRequests
from services.persister.instruments.reference_source import reference
from shared.contracts.instruments import DetailRequest, GetReply, GetRequest, Reference
from shared.errors import NotFound, Overloaded, Unavailable
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.gateway.rest import RELIANCE
from tests.support.virtual_time import LoopClock, on_virtual_time

DAY_SECS = 86_400.0


class WallClock(LoopClock):
    def now_ms(self) -> int:
        return MONDAY_10_00 + int(self.monotonic() * 1_000)


class FakeMaster:
    async def get(self, request: GetRequest) -> GetReply:
        found = [] if request.keys == ["NSE_EQ|NOBODY"] else [RELIANCE]
        return GetReply(instruments=found, unknown=[])


class FakeReferences:
    def __init__(self) -> None:
        self.calls = 0
        self.is_away = self.is_overloaded = False
        self.secs = 0.0

    async def read(self, _key: str) -> Reference:
        self.calls += 1
        await asyncio.sleep(self.secs)
        if self.is_overloaded:
            raise Overloaded("the calls are used up")
        if self.is_away:
            raise Unavailable("Upstox is away")
        return Reference(taken_at=WallClock().now_ms(), upper_circuit=2.0)


def requests_to(references: FakeReferences) -> DetailRequests:
    return DetailRequests(FakeMaster(), references, WallClock())


async def read(requests: DetailRequests, key: str = KEY) -> Reference | None:
    reply = await requests.read(DetailRequest(key=key))
    assert reply.instrument == RELIANCE
    return reply.reference


@on_virtual_time
async def test_the_reference_is_read_once_a_day_also_by_requests_at_the_same_time() -> None:
    references = FakeReferences()
    references.secs = 1.0
    requests = requests_to(references)
    first = await asyncio.gather(*(read(requests) for _ in range(5)))
    assert len(set(first)) == references.calls == 1
    await asyncio.sleep(DAY_SECS)
    assert await read(requests) != first[0]
    assert references.calls == 2


@on_virtual_time
async def test_without_upstox_there_is_the_instrument_and_it_is_tried_again_after_a_minute() -> (
    None
):
    references = FakeReferences()
    references.is_away = True
    requests = requests_to(references)
    assert [await read(requests) for _ in range(20)] == [None] * 20
    assert references.calls == 1
    await asyncio.sleep(60)
    references.is_away, references.secs = False, 60.0
    assert [await read(requests) for _ in range(20)] == [None] * 20
    assert references.calls == 2, "one that does not end in time has failed too"
    await asyncio.sleep(60)
    references.secs = 0.0
    assert await read(requests) is not None


@on_virtual_time
async def test_a_failed_call_for_one_instrument_does_not_affect_others() -> None:
    references = FakeReferences()
    requests = requests_to(references)
    references.is_away = True
    assert await read(requests) is None
    references.is_away = False
    assert await read(requests, OTHER_KEY) is not None
    assert await read(requests) is None


@on_virtual_time
async def test_a_refusal_for_the_limits_on_calls_is_tried_again_at_once() -> None:
    references = FakeReferences()
    references.is_overloaded = True
    requests = requests_to(references)
    assert await read(requests) is None
    references.is_overloaded = False
    assert await read(requests) is not None


@on_virtual_time
async def test_failed_calls_of_a_bounded_number_of_instruments_are_remembered() -> None:
    references = FakeReferences()
    references.is_away = True
    requests = requests_to(references)
    for number in range(10_001):
        await read(requests, f"NSE_EQ|{number}")
    assert references.calls == 10_001
    await read(requests, "NSE_EQ|10000")
    assert references.calls == 10_001
    await read(requests, "NSE_EQ|0")
    assert references.calls == 10_002, "the first one was forgotten"


@on_virtual_time
async def test_a_request_for_newer_data_reads_again_once_a_minute_at_most() -> None:
    references = FakeReferences()
    requests = requests_to(references)

    async def newer() -> Reference | None:
        request = DetailRequest(key=KEY, newer_than_ms=WallClock().now_ms())
        return (await requests.read(request)).reference

    first = await read(requests)
    await asyncio.sleep(59)
    assert await newer() == first
    await asyncio.sleep(1)
    references.is_away = True
    assert await newer() == first
    references.is_away = False
    assert await newer() == first
    await asyncio.sleep(60)
    assert await newer() != first
    await asyncio.sleep(600)
    assert await read(requests) == await read(requests)
    assert references.calls == 3


@on_virtual_time
async def test_a_key_of_no_instrument_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        await requests_to(FakeReferences()).read(DetailRequest(key="NSE_EQ|NOBODY"))
    assert caught.value.field == "key"


def test_a_value_that_is_no_price_is_unknown() -> None:
    quote = {
        "lower_circuit_limit": 0.0, "upper_circuit_limit": "9", "prev_close_price": 5,
        "year_high": 1e12, "year_low": None,
    }  # fmt: skip
    assert reference(quote, 7) == Reference(taken_at=7, previous_close=5.0)
