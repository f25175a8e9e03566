"""Commands wait so that no second has more than Upstox takes."""

from hypothesis import given
from hypothesis import strategies as st

from services.trading.live.send_pace import WINDOW_SECS, SendPace


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=60), st.integers(1, 12))
def test_no_second_has_more_commands_and_none_waits_longer_than_it_must(
    pauses: list[float], max_per_sec: int
) -> None:
    pace = SendPace(max_per_sec)
    now, sent = 100.0, list[float]()
    for pause in pauses:
        now += pause
        wait = pace.reserve("u", now)
        assert wait is not None
        earlier = sent[-max_per_sec] if len(sent) >= max_per_sec else 0.0
        assert abs(now + wait - max(now, earlier + WINDOW_SECS)) < 1e-6
        sent.append(now + wait)
    assert all(
        later - earlier > 1.0 for earlier, later in zip(sent, sent[max_per_sec:], strict=False)
    )


def test_users_do_not_wait_for_each_other() -> None:
    pace = SendPace(1)
    assert (pace.reserve("u", 1.0), pace.reserve("v", 1.0)) == (0.0, 0.0)
    assert pace.reserve("u", 1.0) == WINDOW_SECS


def test_users_without_a_recent_command_take_no_memory() -> None:
    pace = SendPace(10)
    for number in range(100):
        pace.reserve(f"u{number}", float(number))
    assert len(pace) <= 2


def test_a_command_that_would_wait_too_long_does_not_count() -> None:
    pace = SendPace(1)
    assert pace.reserve("u", 1.0) == 0.0
    for _ in range(5):
        assert pace.reserve("u", 1.0, most_secs=1.0) is None
    assert pace.reserve("u", 1.0) == WINDOW_SECS


def test_commands_fit_if_the_last_of_them_can_be_sent_in_time() -> None:
    pace = SendPace(10)
    for _ in range(4):
        pace.reserve("u", 1.0)
    for count, secs, fits in ((6, 0.0, True), (7, 1.0, False), (16, 1.2, True), (17, 1.2, False)):
        assert pace.fits("u", 1.0, count, secs) == fits
    assert not pace.fits("v", 1.0, 1, -1.0)
    assert len(pace) == 1
