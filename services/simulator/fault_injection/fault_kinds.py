"""The effects that a fault may have, by the events that they apply to."""

from enum import StrEnum
from typing import Final


class FaultKind(StrEnum):
    """The effect of a fault."""

    # Those of requests begin after `delay_secs`, except `late`.
    ERROR = "error"
    """A request is answered with `status`, `error_code` and `message`."""
    HTML = "html"
    """A request is answered with `status` and a page of HTML, as by a proxy in front of the API."""
    RESET = "reset"
    """The connection of a request is aborted, and the request is not executed."""
    SLOW = "slow"
    """A request is executed after `delay_secs`."""
    LOST = "lost"
    """A request is executed, and its connection is aborted without an answer."""
    LATE = "late"
    """A request is executed at once and answered after `delay_secs`."""
    CUT = "cut"
    """A request is executed, and its connection is aborted in the middle of the answer's body."""
    NOT_JSON = "not_json"
    """A request is executed, and its answer has half of the body as if that were all of it."""
    DOUBLED = "doubled"
    """A request is executed twice; the first answer is sent."""

    DROP = "drop"
    """A message is not sent."""
    DUPLICATE = "duplicate"
    """A message is sent twice."""
    DELAY = "delay"
    """A message is sent after `delay_secs`; the following messages are not delayed."""
    REORDER = "reorder"
    """A message is sent after its successor."""
    GARBAGE = "garbage"
    """Data that cannot be decoded are sent instead of a message."""
    TRUNCATE = "truncate"
    """The first half of a message is sent."""
    STALL = "stall"
    """The connection sends no more messages, but answers pings."""
    HALF_OPEN = "half_open"
    """The connection neither sends nor reads; it is aborted after `delay_secs`, or 60 s."""
    CLOSE = "close"
    """The connection is closed with `code`."""
    ABORT = "abort"
    """The connection is aborted without a close frame."""

    ORDER_HIDDEN = "order_hidden"
    """A new order is missing in all answers for `delay_secs`."""
    TRADES_HIDDEN = "trades_hidden"
    """Each trade of a new order is missing in all answers for `delay_secs`."""
    EARLY_COMPLETE = "early_complete"
    """A new order is shown as complete, and goes to the exchange only after `delay_secs`."""
    LATE_REJECTION = "late_rejection"
    """A new order is rejected with `message` after `delay_secs`; it never goes to the exchange."""
    LATE_CANCEL = "late_cancel"
    """A cancellation is taken, but after `delay_secs` the order is filled instead."""
    NOT_MODIFIED = "not_modified"
    """A modification is taken, but then rejected with `message`."""

    WEBHOOK_TWICE = "webhook_twice"
    """An update is posted to the webhook twice."""
    WEBHOOK_FORGED = "webhook_forged"
    """Before an update a false one is posted to the webhook, as by a stranger."""


class Stream(StrEnum):
    """The WebSocket streams whose messages a fault may apply to."""

    FEED = "feed"
    PORTFOLIO = "portfolio"


_K = FaultKind
REQUEST_FAULTS: Final = frozenset(
    {_K.ERROR, _K.HTML, _K.RESET, _K.SLOW, _K.LOST, _K.LATE, _K.CUT, _K.NOT_JSON, _K.DOUBLED}
)
HOLD_FAULTS: Final = frozenset({_K.EARLY_COMPLETE, _K.LATE_REJECTION})
HIDING_FAULTS: Final = frozenset({_K.ORDER_HIDDEN, _K.TRADES_HIDDEN})
ORDER_FAULTS: Final = HOLD_FAULTS | HIDING_FAULTS | {_K.LATE_CANCEL, _K.NOT_MODIFIED}
WEBHOOK_FAULTS: Final = frozenset({_K.WEBHOOK_TWICE, _K.WEBHOOK_FORGED})
FRAME_FAULTS: Final = frozenset(FaultKind) - REQUEST_FAULTS - ORDER_FAULTS - WEBHOOK_FAULTS
