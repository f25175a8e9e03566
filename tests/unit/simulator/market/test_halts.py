"""A halt stops a segment or an instrument until it is ended or its time is over."""

from services.simulator.market.halts import Halt, Halts

KEY = "NSE_EQ|INE002A01018"


def test_a_halt_covers_its_target_until_its_end() -> None:
    halts = Halts()
    halts.begin(Halt("NSE_EQ", 100, 200))
    assert [halts.covers("NSE_EQ", at) for at in (99, 100, 199, 200)] == [False, True, True, False]
    assert not halts.covers("NSE_FO", 150)
    assert not halts.covers(KEY, 150)


def test_the_halt_of_a_segment_stops_its_instruments() -> None:
    halts = Halts()
    halts.begin(Halt("NSE_EQ", 100, None))
    assert halts.stops(KEY, 10**15)
    assert not halts.stops("NSE_INDEX|Nifty 50", 150)


def test_the_halt_of_an_instrument_stops_no_other() -> None:
    halts = Halts()
    halts.begin(Halt(KEY, 100, None))
    assert halts.stops(KEY, 100)
    assert not halts.stops("NSE_EQ|INE467B01029", 100)
    assert not halts.covers("NSE_EQ", 100)


def test_a_halt_is_ended_once() -> None:
    halts = Halts()
    halts.begin(Halt("NSE_EQ", 100, None))
    assert halts.end("NSE_EQ", 150)
    assert not halts.stops(KEY, 150)
    assert not halts.end("NSE_EQ", 150)


def test_a_halt_whose_time_is_over_cannot_be_ended() -> None:
    halts = Halts()
    halts.begin(Halt("NSE_EQ", 100, 200))
    assert not halts.end("NSE_EQ", 200)


def test_a_new_halt_replaces_the_one_before() -> None:
    halts = Halts()
    halts.begin(Halt("NSE_EQ", 100, 200))
    halts.begin(Halt("NSE_EQ", 150, 300))
    assert halts.in_force(250) == [Halt("NSE_EQ", 150, 300)]


def test_halts_whose_time_is_over_are_dropped() -> None:
    halts = Halts()
    assert not halts
    lasting, ending = Halt("NSE_FO", 100, None), Halt("NSE_EQ", 100, 200)
    halts.begin(lasting)
    halts.begin(ending)
    assert halts.in_force(150) == [lasting, ending]
    assert halts.ended_by(199) == []
    assert halts.ended_by(200) == [ending]
    halts.forget(200)
    assert halts.in_force(150) == [lasting]
    assert halts
