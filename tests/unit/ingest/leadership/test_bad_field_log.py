"""Each value out of range is counted; the log has one line per field and minute."""

import asyncio

import structlog

from services.ingest import metrics
from services.ingest.leadership.bad_field_log import BadFieldLog
from tests.support.virtual_time import LoopClock, on_virtual_time


def count(field: str) -> float:
    return float(metrics.BAD_FIELDS.labels(field)._value.get())


@on_virtual_time
async def test_a_field_is_logged_once_in_a_minute_and_always_counted() -> None:
    before = count("oi")
    with structlog.testing.capture_logs() as logged:
        bad_fields = BadFieldLog(LoopClock())
        bad_fields.report("NSE_EQ|X", "oi", 2.0**64)
        bad_fields.report("NSE_EQ|Y", "oi", 2.0**64)
        bad_fields.report("NSE_EQ|Y", "ltp", float("nan"))
        await asyncio.sleep(60)
        bad_fields.report("NSE_EQ|Z", "oi", "x" * 1_000)
    assert [(line["field"], line["key"]) for line in logged] == [
        ("oi", "NSE_EQ|X"), ("ltp", "NSE_EQ|Y"), ("oi", "NSE_EQ|Z"),
    ]  # fmt: skip
    assert len(logged[-1]["value"]) == 200
    assert count("oi") == before + 3
