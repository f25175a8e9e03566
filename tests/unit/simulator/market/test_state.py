"""The state of an instrument follows from its trades."""

from services.simulator.market.instruments import STOCKS
from services.simulator.market.state import Candle, SimulatedState
from shared.market.exchange_time import day_start

MINUTE = 1_767_607_200_000  # 2026-01-05 10:00 UTC


def state_after(*trades: tuple[int, int, int]) -> SimulatedState:
    state = SimulatedState(STOCKS[0], None)
    for time_ms, price_paise, quantity in trades:
        state.record(time_ms, price_paise, quantity)
    return state


def flat(start_ms: int, price_paise: int, volume: int) -> Candle:
    return Candle.begin(start_ms, price_paise, volume)


def test_the_average_price_is_the_turnover_over_the_volume_rounded_to_a_paisa() -> None:
    state = state_after((MINUTE, 10_000, 1), (MINUTE + 1, 10_001, 2))
    assert (state.vtt, state.atp_paise()) == (3, 10_001)  # 10000.67
    state.record(MINUTE + 2, 10_000, 3)
    assert state.atp_paise() == 10_000  # 10000.33


def test_there_is_no_average_price_before_a_trade() -> None:
    assert state_after().atp_paise() is None


def test_a_minute_completes_without_another_trade() -> None:
    state = state_after((MINUTE, 10_000, 1), (MINUTE + 59_999, 9_990, 2))
    candle = Candle(MINUTE, 10_000, 10_000, 9_990, 9_990, 3)
    assert state.last_minute(MINUTE + 59_999) is None
    assert state.running_minute(MINUTE + 59_999) == candle
    assert state.last_minute(MINUTE + 60_000) == candle
    assert state.running_minute(MINUTE + 60_000) is None


def test_the_last_completed_minute_is_available_while_the_next_one_runs() -> None:
    state = state_after((MINUTE, 10_000, 1), (MINUTE + 60_000, 10_010, 2))
    assert state.last_minute(MINUTE + 90_000) == flat(MINUTE, 10_000, 1)
    assert state.running_minute(MINUTE + 90_000) == flat(MINUTE + 60_000, 10_010, 2)


def test_a_new_day_has_no_volume_and_the_last_price_as_previous_close() -> None:
    state = state_after((MINUTE, 10_000, 5))
    days = [state.day]
    state.roll_day()
    days.append(state.day)
    assert days == [flat(day_start(MINUTE), 10_000, 5), None]
    assert (state.close_paise, state.ltp_paise, state.vtt) == (10_000, 10_000, 0)
    assert state.ltt_ms == MINUTE
    state.record(MINUTE + 1, 10_050, 2)
    assert (state.vtt, state.atp_paise()) == (2, 10_050)
