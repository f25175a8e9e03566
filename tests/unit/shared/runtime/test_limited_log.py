"""Entries that clients cause are logged at a bounded rate, and those left out are counted."""

from structlog.testing import capture_logs

from shared.runtime.limited_log import LimitedLog
from shared.runtime.logs import get_logger
from tests.support.virtual_time import LoopClock, on_virtual_time


@on_virtual_time
async def test_a_burst_is_logged_and_the_rest_is_counted_with_the_next_entry() -> None:
    clock = LoopClock()
    limited = LimitedLog(get_logger("test"), clock, per_sec=2.0, burst=3.0)
    with capture_logs() as logs:
        for number in range(10):
            limited.info("stream closed", number=number)
        await clock.sleep(0.5)
        limited.info("stream closed", number=10)
        limited.info("stream closed", number=11)
        await clock.sleep(60.0)
        for number in range(12, 20):
            limited.info("stream closed", number=number)
    assert [(entry["number"], entry.get("left_out")) for entry in logs] == [
        (0, None), (1, None), (2, None), (10, 7), (12, 1), (13, None), (14, None),
    ]  # fmt: skip
    assert {entry["log_level"] for entry in logs} == {"info"}
