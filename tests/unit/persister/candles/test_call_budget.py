"""Repair, requests and the command share the limits on calls."""

from services.persister.candles.call_budget import CallBudget
from services.persister.candles.call_pacer import CallPacer


def calls_at_once(pacers: tuple[CallPacer, ...]) -> int:
    """How many calls can be made without a wait."""
    calls = 0
    while max(pacer.delay_secs(0.0) for pacer in pacers) == 0.0:
        for pacer in pacers:
            pacer.reserve(0.0)
        calls += 1
    return calls


def test_requests_and_the_command_leave_calls_to_repair() -> None:
    pacers = CallBudget(per_sec=100, per_minute=40, per_half_hour=60).pacers()
    assert calls_at_once(pacers.requests) == 20
    assert calls_at_once(pacers.command) == 10
    assert calls_at_once(pacers.repair) == 10


def test_all_calls_together_hold_the_limits() -> None:
    pacers = CallBudget(per_sec=3, per_minute=40, per_half_hour=60).pacers()
    together = (pacers.repair, pacers.requests, pacers.command)
    assert [calls_at_once(each) for each in together] == [3, 0, 0]


def test_the_smallest_budget_has_a_call_for_each() -> None:
    pacers = CallBudget(per_sec=1, per_minute=1, per_half_hour=1).pacers()
    assert calls_at_once(pacers.command) == 1
