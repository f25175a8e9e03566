"""The events of an order. They are appended before anything is sent, and never changed."""

from decimal import Decimal

import msgspec

from services.trading.orders.broker_report import BrokerReport
from services.trading.orders.instrument import OrderInstrument
from shared.contracts.order_terms import Prices, Terms


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`at_ms`: the time of the owner of the partition, epoch ms."""

    at_ms: int


class Intended(Event, frozen=True, kw_only=True, tag="intended"):
    """The checks passed and the margin is reserved. Nothing was sent."""

    order_id: str
    user_id: str
    terms: Terms
    instrument: OrderInstrument | None = None
    """None: of orders that this side did not check."""
    margin: Decimal = Decimal(0)
    """Reserved in rupees, for the whole quantity."""
    reference_price: Decimal | None = None
    """Price in the margin's computation: the limit, or the LTP with its protection."""
    is_external: bool = False
    """Whether the order was placed elsewhere, and was found in the broker's books."""


class Sending(Event, frozen=True, kw_only=True, tag="sending"):
    """The order is about to be sent. It is never sent again."""


class Accepted(Event, frozen=True, kw_only=True, tag="accepted"):
    """The broker's answer to the order: it was received."""

    broker_order_id: str


class Refused(Event, frozen=True, kw_only=True, tag="refused"):
    """The broker's answer to the order: it was not received."""

    code: str
    detail: str


class AnswerLost(Event, frozen=True, kw_only=True, tag="answer_lost"):
    """No answer, or none that can be read: the order may or may not exist."""

    detail: str


class Reported(Event, frozen=True, kw_only=True, tag="reported"):
    """News of the order from its broker, by any way."""

    report: BrokerReport


class Filled(Event, frozen=True, kw_only=True, tag="filled"):
    """One trade. A trade id counts once."""

    trade_id: str
    quantity: int
    price: Decimal
    traded_at_ms: int


class CommandSending(Event, frozen=True, kw_only=True, tag="command_sending"):
    """A modification (`prices`) or a cancellation (None) is about to be sent."""

    command_id: str
    prices: Prices | None
    margin: Decimal | None = None
    """Reserved for the whole new quantity. None: as much for each unit as before."""


class CommandAnswered(Event, frozen=True, kw_only=True, tag="command_answered"):
    """The broker took the command, or refused it with a code and a reason."""

    command_id: str
    code: str = ""
    """Empty: it was taken."""
    detail: str = ""


class CommandLost(Event, frozen=True, kw_only=True, tag="command_lost"):
    """No answer to the command: it may or may not have an effect."""

    command_id: str
    detail: str


class CommandSettled(Event, frozen=True, kw_only=True, tag="command_settled"):
    """A later look at the broker's books has shown the effect of a command that was not known."""

    command_id: str
    has_effect: bool


class Expired(Event, frozen=True, kw_only=True, tag="expired"):
    """The order's day is over, and its broker does not list it any more, or could not be asked.

    Fills of which no news came stay unknown.
    """


OrderEvent = (
    Intended | Sending | Accepted | Refused | AnswerLost | Reported | Filled | CommandSending
    | CommandAnswered | CommandLost | CommandSettled | Expired
)  # fmt: skip
