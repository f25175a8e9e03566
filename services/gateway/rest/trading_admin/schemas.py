"""The response bodies of the operations of administrators, for the OpenAPI document."""

from services.gateway.rest.models import Schema
from shared.contracts.trading_replies import SwitchScope


class Switch(Schema):
    """A kill switch as it was set last."""

    scope: SwitchScope
    """`global` or `instrument`."""
    is_on: bool
    by: str
    """The user id of the administrator who has set or lifted it."""
    reason: str
    at: int
    """Unix milliseconds."""
    key: str | None = None
    """The instrument, of a switch with that scope."""


class Switches(Schema):
    """The kill switches that are on, the global one first. Those of users are in their limits."""

    switches: list[Switch]
