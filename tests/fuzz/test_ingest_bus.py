"""Random demands and calendars from the bus to ingest, beside those that are right."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client import REGISTRY, Counter

from shared.bus.calendar_listener import CalendarListener
from shared.contracts.calendar import CALENDAR_DAYS, decode_calendar, encode_calendar
from shared.contracts.demand import decode_demand
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_calendar import Calendar
from tests.fuzz.rounds import mutated_json, rounds
from tests.fuzz.tracebacks import tracebacks
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.buses import bus_of, flushed
from tests.support.ingest import (
    demand_publisher,
    ingest,
    ingest_settings,
    listening,
    simulator,
)
from tests.support.servers import NatsServer
from tests.support.services import running_components
from tests.support.waiting import eventually

_ROUNDS: Final = 15
_CALENDAR_ROUNDS: Final = 40
_BATCH: Final = 20
_DEMAND: Final[dict[str, Any]] = {
    "gateway": "noise", "rev": 1, "quotes": [KEY, "NSE_EQ|INE999A01999", "none"],
    "depth": [KEY, f"{OTHER_KEY}|30"], "chains": [f"{OTHER_KEY}|2026-11-26|5"],
}  # fmt: skip
_SUBJECTS: Final = ("demand.noise", "demand.noise-2", "demand.x", "demand.%00")
_CALENDAR: Final[dict[str, Any]] = {
    "special_days": {
        "2026-12-25": {
            "day": "2026-12-25", "description": "Christmas", "kind": "TRADING_HOLIDAY",
            "closed": ["NSE", "BSE"], "hours": {"MCX": [1_020, 1_435]},
        }
    },
    "years": [2026, 2027],
    "timings": {"2026-11-23": {"NSE": [555, 930], "MCX": [540, 1_410]}},
}  # fmt: skip
_YEARS: Final = CalendarData(years=frozenset({2030, 2031}))


async def _reaches(count: Callable[[], float], expected: float) -> None:
    await eventually(lambda: count() == expected, what=f"{expected:g} bad ones are counted")


def _value(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def _is_bad(subject: str, data: bytes) -> bool:
    try:
        return f"demand.{decode_demand(data).gateway}" != subject
    except msgspec.DecodeError:
        return True


async def test_random_demands_hold_up_no_other_gateway_and_bad_ones_are_counted(
    nats: NatsServer, tmp_path: Path, caplog: Any
) -> None:
    counter = "tradedad_ingest_bad_demands_total"
    watchlist = tmp_path / "watchlist.txt"
    watchlist.write_text(f"{OTHER_KEY}\n")
    async with (
        simulator() as url,
        listening(nats) as listener,
        ingest(ingest_settings(nats, url, watchlist)),
        demand_publisher(nats) as good,
        bus_of(nats, "gateway") as noise,
    ):
        await listener.wait_for_quotes(1, OTHER_KEY)
        for source in rounds(_ROUNDS):
            expected = _value(counter)
            for _ in range(_BATCH):
                gateway = source.choice(("noise", "noise-2", "", "a.b", "é"))
                data = mutated_json(source, _DEMAND | {"gateway": gateway})
                subject = source.choice(_SUBJECTS)
                expected += _is_bad(subject, data)
                await noise.client.publish(subject, data)
            await flushed(noise.client)
            await _reaches(lambda: _value(counter), expected)
            rev = await good.demand(KEY)

            def is_covered(rev: int = rev) -> bool:
                coverage = listener.coverage()
                return coverage is not None and coverage.seen.get("gw-1") == rev

            await eventually(is_covered, what="the demand is taken")
            await listener.wait_for_more_quotes(1, KEY)
            listener.messages.clear()
    assert not (found := tracebacks(caplog.text)), found


async def test_a_random_calendar_is_used_or_counted_and_a_right_one_is_used(
    nats: NatsServer,
) -> None:
    bad = Counter("fuzz_bad_calendars", "Calendars that could not be decoded.", registry=None)
    calendar = Calendar()
    right = encode_calendar(_YEARS, from_day=date(2030, 1, 1))
    async with (
        bus_of(nats, "ingest") as bus,
        bus_of(nats, "persister") as persister,
        running_components([CalendarListener(bus, calendar, bad)]),
    ):

        async def is_right_one_used() -> bool:
            await persister.client.publish(CALENDAR_DAYS, right)
            await flushed(persister.client)
            return calendar.data == BUILT_IN.updated(_YEARS)

        await eventually(is_right_one_used, what="the listener listens")
        for source in rounds(_CALENDAR_ROUNDS):
            expected = bad._value.get()
            for _ in range(_BATCH):
                data = mutated_json(source, _CALENDAR)
                expected += _is_bad_calendar(data)
                await persister.client.publish(CALENDAR_DAYS, data)
            await _reaches(bad._value.get, expected)
            _use(calendar)
            await eventually(is_right_one_used, what="the right one is used")


def _is_bad_calendar(data: bytes) -> bool:
    try:
        decode_calendar(data)
    except msgspec.DecodeError:
        return True
    return False


def _use(calendar: Calendar) -> None:
    """What ingest and trading ask of a calendar."""
    for exchange in ("NSE", "BSE", "MCX"):
        calendar.data.hours(exchange, date(2026, 12, 25))
    calendar.data.known_until(date(2026, 11, 23))
    assert calendar.is_open("NSE_EQ", MONDAY_10_00) in (True, False)
