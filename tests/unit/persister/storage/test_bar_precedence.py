"""A partial bar replaces a better one only if it has a trade that the better one lacks."""

import msgspec
import pytest

from services.persister.storage.bar_precedence import must_stay
from shared.contracts.messages import Bar, BarState
from tests.support.builders import KEY, MONDAY_10_00

STORED = Bar(
    key=KEY, start=MONDAY_10_00, open=1.0, high=2.0, low=0.5, close=1.5, ltq=None, ltt=None,
    volume=7, vtt=7, atp=None, oi=None, ticks=3, state=BarState.COMPLETE, silent_ms=0, epoch=1,
)  # fmt: skip


def replaced(bar: Bar, **changes: object) -> Bar:
    return msgspec.structs.replace(bar, **changes)


def partial(**changes: object) -> Bar:
    return replaced(STORED, state=BarState.PARTIAL, **changes)


@pytest.mark.parametrize(
    "changes", [{}, {"volume": 6}, {"high": 1.9}, {"low": 0.6}, {"ticks": 9, "silent_ms": 5}]
)
def test_a_complete_bar_stays_if_it_has_every_trade_of_the_partial_one(
    changes: dict[str, object],
) -> None:
    assert must_stay(STORED, partial(**changes))


@pytest.mark.parametrize("changes", [{"volume": 8}, {"high": 2.1}, {"low": 0.4}])
def test_a_complete_bar_does_not_stay_if_the_partial_one_has_another_trade(
    changes: dict[str, object],
) -> None:
    assert not must_stay(STORED, partial(**changes))


def test_a_complete_bar_of_an_index_stays_if_its_range_has_the_prices_of_the_partial_one() -> None:
    index = replaced(STORED, volume=None, vtt=None)
    assert must_stay(index, partial(volume=None))
    assert not must_stay(index, partial(volume=None, high=2.1))


def test_a_repaired_bar_stays_and_a_partial_one_does_not() -> None:
    assert must_stay(replaced(STORED, state=BarState.REPAIRED), partial(volume=8))
    assert not must_stay(partial(), partial())
