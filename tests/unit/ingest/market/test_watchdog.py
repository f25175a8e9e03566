"""A silent connection times out, and a timeout without a stall doubles the next one."""

from services.ingest.market.watchdog import Watchdog


def secs_until_timeout(watchdog: Watchdog, connected_secs: float) -> float:
    watchdog.connected(connected_secs)
    now_secs = connected_secs
    while not watchdog.check(now_secs):
        now_secs += 1.0
    return now_secs - connected_secs


def test_silence_longer_than_the_timeout_ends_a_connection() -> None:
    watchdog = Watchdog(15.0)
    watchdog.connected(100.0)
    assert not watchdog.check(115.0)
    watchdog.frame_received(110.0)
    assert not watchdog.check(125.0)
    assert watchdog.check(125.1)


def test_the_timeout_doubles_up_to_a_limit_while_nothing_was_missed() -> None:
    watchdog = Watchdog(15.0)
    timeouts = []
    for start in range(0, 10_000, 1_000):
        timeouts.append(secs_until_timeout(watchdog, float(start)))
        watchdog.connected(start + 500.0)
        watchdog.snapshot_received(has_new_trades=False)
    assert timeouts[:4] == [16.0, 31.0, 61.0, 121.0]
    assert timeouts[-1] == 121.0


def test_the_timeout_doubles_also_without_any_snapshot() -> None:
    watchdog = Watchdog(15.0)
    timeouts = [secs_until_timeout(watchdog, at_secs) for at_secs in (0.0, 1_000.0, 2_000.0)]
    assert timeouts == [16.0, 31.0, 61.0]


def test_a_stall_that_missed_trades_restores_the_initial_timeout() -> None:
    watchdog = Watchdog(15.0)
    secs_until_timeout(watchdog, 0.0)
    watchdog.snapshot_received(has_new_trades=False)
    secs_until_timeout(watchdog, 100.0)
    watchdog.snapshot_received(has_new_trades=True)
    assert secs_until_timeout(watchdog, 200.0) == 16.0


def test_only_the_first_snapshot_after_a_timeout_counts() -> None:
    watchdog = Watchdog(15.0)
    secs_until_timeout(watchdog, 0.0)
    watchdog.snapshot_received(has_new_trades=False)
    watchdog.snapshot_received(has_new_trades=True)
    assert watchdog.timeout_secs == 30.0


def test_silence_while_no_trades_are_expected_does_not_count() -> None:
    watchdog = Watchdog(15.0)
    watchdog.connected(0.0)
    watchdog.idle(1_000.0)
    assert not watchdog.check(1_015.0)
    assert watchdog.check(1_016.0)


def test_a_closed_market_restores_the_initial_timeout() -> None:
    watchdog = Watchdog(15.0)
    secs_until_timeout(watchdog, 0.0)
    watchdog.snapshot_received(has_new_trades=False)
    watchdog.idle(100.0)
    assert secs_until_timeout(watchdog, 200.0) == 16.0
