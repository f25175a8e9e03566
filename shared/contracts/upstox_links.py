"""Requests over the bus to link Upstox accounts, and their replies.

The owner of the user's partition answers them on ``trading.<partition>.<operation>``. The gateway
takes `user_id` from the access token, except for `LinkHint`: there it is part of what the caller
sends, and the owner uses nothing that it cannot verify.
Times are epoch milliseconds.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.contracts.trading import UserId
from shared.errors import InvalidField

STATE_SECRET_CHARS: Final = 43
"""Characters of 32 random bytes in the URL-safe form of base64."""
MAX_STATE_CHARS: Final = 64 + 1 + STATE_SECRET_CHARS
MAX_CODE_CHARS: Final = 512
MAX_TOKEN_CHARS: Final = 4_096

# In Python, `$` would also match before a line feed at the end.
_STATE_PATTERN: Final = "^[A-Za-z0-9_-]{1,64}[.][A-Za-z0-9_-]{43}\\Z"

ClientId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+\\Z")]
"""The API key of an app at Upstox."""
ClientSecret = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern="^[!-~]+\\Z")]
LoginState = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_STATE_CHARS, pattern=_STATE_PATTERN)
]
AuthorizationCode = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_CODE_CHARS, pattern="^[!-~]+\\Z")
]
UpstoxUserId = Annotated[
    str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+\\Z")
]
AccessToken = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_TOKEN_CHARS, pattern="^[!-~]+\\Z")
]
BrokerOrderId = Annotated[
    str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+\\Z")
]


class LinkOperation(StrEnum):
    """The last token of a request's subject; see `trading_subject`."""

    LINK_BEGIN = "link_begin"
    LINK_FINISH = "link_finish"
    LINK_STATUS = "link_status"
    LINK_REQUEST = "link_request"
    UNLINK = "unlink"
    LINK_HINT = "link_hint"


class LinkPurpose(StrEnum):
    """Purpose of a linked account."""

    TRADING = "trading"
    """The user's orders."""
    FEED = "feed"
    """The account whose token ingest uses; administrators only."""


class LinkState(StrEnum):
    """Whether a link can be used."""

    UNLINKED = "unlinked"
    WAITING = "waiting"
    """Upstox has been asked to ask the user; the token has not come yet."""
    LINKED = "linked"
    EXPIRED = "expired"
    """The token has died or was refused; the user must log in again."""


class HintKind(StrEnum):
    """Subject of a message of Upstox's notifier or webhook."""

    TOKEN = "token"
    ORDER = "order"


class LinkBeginRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Starts a login at Upstox, with the operator's app or with the user's own."""

    user_id: UserId
    purpose: LinkPurpose
    client_id: ClientId | None = None
    """The user's own app; needs `client_secret`. None: the operator's app."""
    client_secret: ClientSecret | None = None

    def __repr__(self) -> str:
        return f"LinkBeginRequest({self.user_id!r}, {self.purpose.value!r})"


class LinkBeginReply(msgspec.Struct, frozen=True, kw_only=True):
    """Where the user's browser must go."""

    login_url: str
    expires_at: int
    """The login must end before."""

    def __repr__(self) -> str:
        return f"LinkBeginReply(expires_at={self.expires_at})"


class LinkFinishRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ends a login: what the browser brought back from Upstox."""

    user_id: UserId
    is_admin: bool
    """The access token has the role admin, which the link of the feed needs."""
    state: LoginState
    code: AuthorizationCode

    def __repr__(self) -> str:
        return f"LinkFinishRequest({self.user_id!r})"


class LinkStatusRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reads a link."""

    user_id: UserId
    purpose: LinkPurpose


class LinkRequestRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests a new token: Upstox asks for the user's approval in its app or by WhatsApp."""

    user_id: UserId
    purpose: LinkPurpose


class UnlinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logs out at Upstox and forgets the link."""

    user_id: UserId
    purpose: LinkPurpose


class LinkHint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message of Upstox's notifier or webhook; nothing proves that Upstox has sent it."""

    user_id: UserId
    """Ours."""
    kind: HintKind
    client_id: ClientId | None = None
    upstox_user_id: UpstoxUserId | None = None
    access_token: AccessToken | None = None
    """Of a token."""
    order_id: BrokerOrderId | None = None
    """Of an order; Upstox's."""

    def __repr__(self) -> str:
        return f"LinkHint({self.user_id!r}, {self.kind.value!r})"


class LinkHintReply(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the hint will be looked into. Not for the sender of the hint."""

    taken: bool


class LinkView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A link as its user sees it."""

    purpose: LinkPurpose
    state: LinkState
    own_app: bool
    """With the user's own app at Upstox."""
    live_trading: bool
    """The operator allows orders on Upstox accounts."""
    upstox_user_id: str | None = None
    user_name: str | None = None
    linked_at: int | None = None
    expires_at: int | None = None
    """The next 03:30 IST after the token was issued."""
    detail: str | None = None
    """Why the link has expired, or the last failure."""


def state_user(state: str) -> str:
    """The user who has started the login of a state. Raises InvalidField."""
    try:
        msgspec.convert(state, LoginState)
    except msgspec.ValidationError:
        raise InvalidField("not a state of this system", field="state") from None
    return state.rpartition(".")[0]
