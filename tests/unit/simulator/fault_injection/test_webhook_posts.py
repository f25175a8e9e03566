"""By a fault, an update is posted twice, or after a false one."""

import json
from typing import Any

import pytest

from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.fault_injection.faults import Fault, Faults
from services.simulator.fault_injection.webhook_posts import FORGED_PRICE, webhook_posts


def update(**fields: Any) -> str:
    return json.dumps(
        {"update_type": "order", "user_id": "U1", "order_id": "1", "quantity": 5} | fields
    )


def test_the_fault_applies_to_one_update() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.WEBHOOK_TWICE))
    first, second = update(status="open"), update(status="complete")
    assert webhook_posts(faults, first) == [first, first]
    assert webhook_posts(faults, second) == [second]


def test_a_fault_of_another_user_does_not_apply() -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.WEBHOOK_TWICE, user_id="U2"))
    assert webhook_posts(faults, update()) == [update()]


@pytest.mark.parametrize(
    ("status", "false"),
    [
        ("open", {"status": "complete", "filled_quantity": 5}),
        ("complete", {"status": "rejected", "filled_quantity": 0}),
    ],
)
def test_a_forged_update_comes_first_and_is_false(status: str, false: dict[str, object]) -> None:
    faults = Faults()
    faults.arm(Fault(FaultKind.WEBHOOK_FORGED))
    true = update(status=status)
    forged, posted = webhook_posts(faults, true)
    assert posted == true
    assert json.loads(forged) == json.loads(true) | false | {"average_price": FORGED_PRICE}
