"""A silent feed is given up; one that is only quiet is given more time each time."""

from services.ingest.market.watchdog import Watchdog


def given_up_after(watchdog: Watchdog, connected_at: float) -> float:
    watchdog.connected(connected_at)
    now = connected_at
    while not watchdog.is_silent(now):
        now += 1.0
    return now - connected_at


def test_silence_longer_than_the_patience_ends_a_connection() -> None:
    watchdog = Watchdog(15.0)
    watchdog.connected(100.0)
    assert not watchdog.is_silent(115.0)
    watchdog.heard(110.0)
    assert not watchdog.is_silent(125.0)
    assert watchdog.is_silent(125.1)


def test_who_was_given_up_in_vain_is_given_twice_the_time_up_to_a_limit() -> None:
    watchdog = Watchdog(15.0)
    waits = []
    for start in range(0, 10_000, 1_000):
        waits.append(given_up_after(watchdog, float(start)))
        watchdog.connected(start + 500.0)
        watchdog.snapshot(is_newer=False)
    assert waits[:4] == [16.0, 31.0, 61.0, 121.0]
    assert waits[-1] == 121.0


def test_a_feed_that_does_not_even_send_a_snapshot_is_not_tried_ever_faster() -> None:
    watchdog = Watchdog(15.0)
    assert [given_up_after(watchdog, at) for at in (0.0, 1_000.0, 2_000.0)] == [16.0, 31.0, 61.0]


def test_a_stall_that_hid_trades_brings_the_short_patience_back() -> None:
    watchdog = Watchdog(15.0)
    given_up_after(watchdog, 0.0)
    watchdog.snapshot(is_newer=False)
    given_up_after(watchdog, 100.0)
    watchdog.snapshot(is_newer=True)
    assert given_up_after(watchdog, 200.0) == 16.0


def test_only_the_first_snapshot_after_giving_up_is_a_lesson() -> None:
    watchdog = Watchdog(15.0)
    given_up_after(watchdog, 0.0)
    watchdog.snapshot(is_newer=False)
    watchdog.snapshot(is_newer=True)
    assert watchdog.patience_secs == 30.0


def test_silence_while_nothing_is_expected_does_not_count() -> None:
    watchdog = Watchdog(15.0)
    watchdog.connected(0.0)
    watchdog.idle(1_000.0)
    assert not watchdog.is_silent(1_015.0)
    assert watchdog.is_silent(1_016.0)


def test_a_closed_market_restores_the_first_patience() -> None:
    watchdog = Watchdog(15.0)
    given_up_after(watchdog, 0.0)
    watchdog.snapshot(is_newer=False)
    watchdog.idle(100.0)
    assert given_up_after(watchdog, 200.0) == 16.0
