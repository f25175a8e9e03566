"""Posts of Upstox's webhook and notifier: unverified ids and tokens."""

from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts.upstox_links import MAX_TOKEN_CHARS, HintKind, LinkHint


def _absent_if_empty(value: object) -> object:
    return None if value == "" else value


_Name = Annotated[
    Annotated[str, Field(max_length=64, pattern="^[A-Za-z0-9_-]+$")] | None,
    BeforeValidator(_absent_if_empty),
]


class HookMessage(BaseModel):
    """A post. Its sender is not verified, so other fields are not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def hint(self, user_id: str) -> LinkHint:
        """The hint for a user of ours."""
        raise NotImplementedError


class OrderUpdate(HookMessage):
    """A post of the webhook: an order has changed."""

    order_id: _Name = None
    """Absent for a GTT order."""
    upstox_user_id: Annotated[_Name, Field(validation_alias=AliasChoices("user_id", "userId"))] = (
        None
    )

    def hint(self, user_id: str) -> LinkHint:
        return LinkHint(
            user_id=user_id,
            kind=HintKind.ORDER,
            upstox_user_id=self.upstox_user_id,
            order_id=self.order_id,
        )


class ApprovedToken(HookMessage):
    """A post of the notifier: the user has approved a token."""

    message_type: Literal["access_token"]
    client_id: _Name = None
    upstox_user_id: Annotated[_Name, Field(validation_alias="user_id")] = None
    access_token: Annotated[
        str, Field(min_length=1, max_length=MAX_TOKEN_CHARS, pattern="^[!-~]+$", repr=False)
    ]

    def hint(self, user_id: str) -> LinkHint:
        return LinkHint(
            user_id=user_id,
            kind=HintKind.TOKEN,
            client_id=self.client_id,
            upstox_user_id=self.upstox_user_id,
            access_token=self.access_token,
        )
