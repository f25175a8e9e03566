"""Preview of an order: the results of the checks, margin, charges and value."""

from services.trading.charges.charges import Charges
from services.trading.risk.checks import check_order
from services.trading.risk.proposal import Proposal
from shared.contracts.trading_replies import ChargesView, Preview


def preview_of(order: Proposal) -> Preview:
    """The preview of an order; nothing is reserved."""
    results = check_order(order)
    charges = order.charges
    return Preview(
        passed=all(result.passed for result in results),
        rules=results,
        margin=order.margin,
        charges=None if charges is None else charges_view(charges),
        value=order.value,
        available=order.account.available,
    )


def charges_view(charges: Charges) -> ChargesView:
    """Charges as a user sees them."""
    return ChargesView(
        brokerage=charges.brokerage,
        transaction_tax=charges.transaction_tax,
        exchange=charges.exchange,
        investor_protection=charges.investor_protection,
        sebi=charges.sebi,
        stamp=charges.stamp,
        dp=charges.dp,
        gst=charges.gst,
        total=charges.total,
    )
