"""A message that NATS did not take is counted, and logged once a minute per kind."""

import time

import pytest
import structlog
from nats.errors import MaxPayloadError

from shared.bus import refused_publishes


def test_the_first_refusal_of_a_kind_in_a_minute_is_logged_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    counter = refused_publishes.REFUSED_PUBLISHES.labels("test")
    before = counter._value.get()
    with structlog.testing.capture_logs() as logged:
        for secs in (0.0, 59.0, 61.0):
            now[0] = 1_000.0 + secs
            refused_publishes.report_refused("test", MaxPayloadError())
    assert [line["kind"] for line in logged] == ["test", "test"]
    assert {line["log_level"] for line in logged} == {"warning"}
    assert counter._value.get() == before + 3
