"""A stored state of the paper broker is used only if it is whole and of this version."""

import msgspec
import pytest

from services.trading.paper.broker import PaperBroker
from services.trading.paper.broker_state import calendar_of, decode_state
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_calendar import Calendar

DATA = BUILT_IN.updated(CalendarData(years=frozenset({2027})))


def stored(**changes: object) -> bytes:
    """A state with other fields."""
    state = msgspec.msgpack.decode(PaperBroker(Calendar(DATA)).state())
    return msgspec.msgpack.encode(state | changes)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\x00", "not a state of the paper broker"),
        (stored(instruments="none"), "not a state of the paper broker"),
        (stored(version=2), "version 2 of the state, not 1"),
    ],
)
def test_a_state_that_cannot_be_used_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        decode_state(data)


def test_the_calendar_is_read_also_of_a_state_of_another_version() -> None:
    assert calendar_of(stored(version=2, instruments="none")) == DATA
    assert decode_state(stored()).calendar == DATA
    assert calendar_of(PaperBroker(Calendar()).state()) is None
    assert calendar_of(b"\x00") is None
