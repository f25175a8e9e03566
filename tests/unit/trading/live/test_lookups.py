"""Unknown orders are looked up at growing intervals, without end."""

from services.trading.live.lookups import DELAYS_SECS, Lookups


def test_a_new_order_is_looked_up_at_once_and_then_at_growing_intervals() -> None:
    lookups, now, times = Lookups(), 100.0, []
    for _ in range(len(DELAYS_SECS) + 3):
        lookups.follow(["o1"], now)
        assert lookups.due(now) == ["o1"]
        assert lookups.due(now) == []
        times.append(now - 100.0)
        next_secs = lookups.next_secs()
        assert next_secs is not None
        now = next_secs
    assert times[:8] == [0, 1, 3, 7, 15, 30, 60, 120]
    assert times[-1] - times[-2] == 60


def test_an_order_that_is_known_is_no_longer_looked_up() -> None:
    lookups = Lookups()
    lookups.follow(["o1", "o2"], 1.0)
    assert lookups.due(1.0) == ["o1", "o2"]
    lookups.follow(["o2"], 1.5)
    assert len(lookups) == 1
    lookups.follow([], 2.0)
    assert lookups.next_secs() is None
