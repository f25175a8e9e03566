"""A link of a user to an Upstox account, as the partition's owner uses it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose access token is valid as far as is known."""

    user_id: str
    upstox_user_id: str
    access_token: str = field(repr=False)
    expires_at_ms: int
    """The next 03:30 IST after the token was issued, epoch ms."""


class Links(Protocol):
    """The links of a partition's users, for one term."""

    def link(self, user_id: str) -> Link | None:
        """The link of a user; None if there is none or its token has died."""
        ...

    def linked_users(self) -> Collection[str]:
        """Users who have linked an account, also those whose token has died."""
        ...

    def token_refused(self, link: Link) -> None:
        """Record that Upstox has refused the token: the user must log in again."""
        ...

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the user id after each change of a link."""
        ...
