"""Links to Upstox accounts, as Trade Dad answers. Pure.

Times are Unix milliseconds. A field that is None is unknown or does not apply.
"""

from enum import StrEnum

import msgspec


class LinkPurpose(StrEnum):
    """Purpose of a linked account."""

    TRADING = "trading"
    """The user's orders."""
    FEED = "feed"
    """The market feed of the system; administrators only."""


class LinkState(StrEnum):
    """State of a link; later versions may add others."""

    UNLINKED = "unlinked"
    WAITING = "waiting"
    """Upstox asks the user; the token has not come yet."""
    LINKED = "linked"
    EXPIRED = "expired"
    """The user must log in again."""


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A link to an Upstox account."""

    purpose: LinkPurpose
    state: str
    """See `LinkState`."""
    own_app: bool
    """With the user's own app at Upstox."""
    live_trading: bool
    """The operator allows orders on Upstox accounts."""
    upstox_user_id: str | None = None
    user_name: str | None = None
    """As Upstox has it."""
    linked_at: int | None = None
    expires_at: int | None = None
    """The next 03:30 IST after the token was issued: then Upstox ends it."""
    detail: str | None = None
    """Why the link has expired, or the last failure."""


class LinkLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A login that was started at Upstox. The `repr` does not show its address."""

    login_url: str
    """The page of Upstox that the user's browser must open. Show it to nobody else."""
    expires_at: int
    """The login must end before."""

    def __repr__(self) -> str:
        return f"LinkLogin(expires_at={self.expires_at})"
