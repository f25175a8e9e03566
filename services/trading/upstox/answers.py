"""Answers of Upstox to a command on an order.

A refusal is certain: Upstox has not carried out the command. Everything else without a readable
success is lost: the command may or may not have an effect, and must not be sent again.
"""

from typing import Final

import msgspec

_FINAL_CODES: Final = frozenset({"UDAPI100040", "UDAPI100041"})
"""Cancel or modify of an order that is final already (Upstox's error codes)."""


class Taken(msgspec.Struct, frozen=True):
    """Upstox received the command. A rejection by the exchange or for lack of funds comes later."""

    broker_order_id: str


class Refused(msgspec.Struct, frozen=True):
    """Upstox did not carry out the command."""

    code: str
    """Upstox's code, e.g. ``UDAPI1154``, or one of this side, in lower case: nothing was sent."""
    detail: str
    """The words of Upstox, or of this side."""

    @property
    def is_of_this_side(self) -> bool:
        """Whether the command was not sent at all."""
        return self.code.islower()

    @property
    def is_of_final_order(self) -> bool:
        """Whether the order was final already: what it became must be read."""
        return self.code in _FINAL_CODES


class Lost(msgspec.Struct, frozen=True):
    """No answer, or none that can be read."""

    detail: str


Answer = Taken | Refused | Lost
