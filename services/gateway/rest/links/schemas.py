"""The response bodies of the operations on links, for the OpenAPI document.

The gateway relays replies as the trading service encoded them; a test compares these models with
the messages' own types.
"""

from pydantic import ConfigDict

from services.gateway.rest.models import Schema
from shared.contracts.upstox_links import LinkPurpose, LinkState
from shared.web.openapi import Problem


class LinkProblem(Problem):
    """An error of an operation on links."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    upstox_code: str | None = None
    """For `link_refused`: the error code of Upstox, if it gave one."""


class LinkBeginReply(Schema):
    """Where the user's browser must go."""

    login_url: str
    """A page of Upstox. Only the user who is to be linked may open it."""
    expires_at: int
    """The login must end before; Unix milliseconds."""


class LinkView(Schema):
    """A link. Times are Unix milliseconds."""

    purpose: LinkPurpose
    state: LinkState
    """`unlinked`; `waiting` for the user, whom Upstox asks; `linked`; `expired`: log in again."""
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
