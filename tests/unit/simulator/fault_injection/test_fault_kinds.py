"""Each kind of fault applies to one kind of event."""

from services.simulator.fault_injection.fault_kinds import (
    FRAME_FAULTS,
    HIDING_FAULTS,
    HOLD_FAULTS,
    ORDER_FAULTS,
    REQUEST_FAULTS,
    WEBHOOK_FAULTS,
    FaultKind,
)


def test_each_kind_is_in_one_group() -> None:
    groups = [REQUEST_FAULTS, FRAME_FAULTS, ORDER_FAULTS, WEBHOOK_FAULTS]
    assert sum(len(group) for group in groups) == len(FaultKind)
    assert frozenset().union(*groups) == frozenset(FaultKind)


def test_faults_that_hold_or_hide_an_order_are_faults_of_orders() -> None:
    assert HOLD_FAULTS | HIDING_FAULTS < ORDER_FAULTS
