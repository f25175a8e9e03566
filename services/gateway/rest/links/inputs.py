"""The queries and bodies of the operations on links."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints, model_validator

from services.gateway.rest.links.answer_text import MAX_ANSWER_CHARS, from_text
from services.gateway.rest.models import Input
from shared.contracts.upstox_links import (
    LinkBeginRequest,
    LinkFinishRequest,
    LinkPurpose,
    LinkRequestRequest,
    LinkStatusRequest,
    UnlinkRequest,
)
from shared.errors import LinkStateInvalid

_RULE: Final = "give both client_id and client_secret, or neither"

ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
ClientSecret = Annotated[str, Field(min_length=1, max_length=128, pattern="^[!-~]+$")]


class LinkParameters(Input):
    """The link that an operation is about."""

    purpose: LinkPurpose
    """`trading`: the account of the user's orders. `feed`: the account whose market feed the system
    uses; administrators only."""

    def status(self, user_id: str) -> LinkStatusRequest:
        """The request that reads the link."""
        return LinkStatusRequest(user_id=user_id, purpose=self.purpose)

    def unlink(self, user_id: str) -> UnlinkRequest:
        """The request that ends the link."""
        return UnlinkRequest(user_id=user_id, purpose=self.purpose)


class Renewal(Input):
    """A link whose next token Upstox is to ask its user for."""

    purpose: LinkPurpose
    """`trading` or `feed`, as in the query of the other operations."""

    def request(self, user_id: str) -> LinkRequestRequest:
        """The request to ask Upstox."""
        return LinkRequestRequest(user_id=user_id, purpose=self.purpose)


class NewLogin(Input):
    """A login at Upstox to start."""

    purpose: LinkPurpose
    """`trading` or `feed`, as in the query of the other operations."""
    client_id: ClientId | None = None
    """The API key of the user's own app at Upstox. If it is absent, the operator's app is used."""
    client_secret: Annotated[ClientSecret | None, Field(repr=False)] = None
    """The secret of the user's own app; required with `client_id`. It is stored sealed."""

    @model_validator(mode="after")
    def _app_is_complete(self) -> "NewLogin":
        if (self.client_id is None) is not (self.client_secret is None):
            raise ValueError(_RULE)
        return self

    def request(self, user_id: str) -> LinkBeginRequest:
        """The request that starts the login."""
        return LinkBeginRequest(
            user_id=user_id,
            purpose=self.purpose,
            client_id=self.client_id,
            client_secret=self.client_secret,
        )


class LoginEnd(Input):
    """A login at Upstox to finish."""

    answer: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ANSWER_CHARS),
        Field(repr=False),
    ]
    """The text of the page to which Upstox has sent the user's browser. Space around it is ignored."""

    def request(self, user_id: str, *, is_admin: bool) -> LinkFinishRequest:
        """The request that finishes the login. Raises InvalidField, or LinkStateInvalid if
        another user has begun it: then the browser was not that of this user.
        """
        answer = from_text(self.answer)
        if answer.user_id != user_id:
            raise LinkStateInvalid("another user has begun this login; begin one of your own")
        return LinkFinishRequest(
            user_id=user_id, is_admin=is_admin, state=answer.state, code=answer.code
        )
