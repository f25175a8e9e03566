"""The effect of faults on the posts of the webhook."""

import json
from typing import Final

from services.simulator.fault_injection.fault_kinds import WEBHOOK_FAULTS, FaultKind
from services.simulator.fault_injection.faults import Faults

FORGED_PRICE: Final = 0.05


def webhook_posts(faults: Faults, text: str) -> list[str]:
    """The posts for the update `text`."""
    update = json.loads(text)
    fault = faults.take(WEBHOOK_FAULTS, user_id=update.get("user_id", ""))
    if fault is None:
        return [text]
    return [text if fault.kind is FaultKind.WEBHOOK_TWICE else _forged(update), text]


def _forged(update: dict[str, object]) -> str:
    """The update with a false state: filled at a false price, or rejected if it is filled."""
    if update.get("status") == "complete":
        false: dict[str, object] = {"status": "rejected", "filled_quantity": 0}
    else:
        false = {"status": "complete", "filled_quantity": update.get("quantity")}
    return json.dumps(update | false | {"average_price": FORGED_PRICE})
