"""The documents of links in MongoDB, and their schemas."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from services.trading.links.sealing import Place
from shared.contracts.trading import slot_of
from shared.contracts.upstox_links import LinkPurpose
from shared.errors import InvalidField
from shared.runtime.mongo import Document

LINKS: Final = "upstox_links"
LOGINS: Final = "upstox_logins"
AUDIT: Final = "upstox_link_audit"

FEED_ID: Final = "feed"
TOKEN_FIELD: Final = "token"
SECRET_FIELD: Final = "secret"
SEALED_FIELDS: Final = {LINKS: (TOKEN_FIELD, SECRET_FIELD), LOGINS: (SECRET_FIELD,)}

_LONG: Final = {"bsonType": ["int", "long"]}
_TEXT: Final = {"bsonType": "string", "minLength": 1}
_DATE: Final = {"bsonType": "date"}
_BOOL: Final = {"bsonType": "bool"}
_PURPOSE: Final = {"enum": [purpose.value for purpose in LinkPurpose]}
_SEALED: Final = {"bsonType": "string", "pattern": "^v1[.]"}


class LinkEvent(StrEnum):
    """Events in the audit of links."""

    BEGUN = "begun"
    LINKED = "linked"
    REFUSED = "refused"
    """Upstox refused a login, a request or a token."""
    TAKEN = "taken"
    """The Upstox account is linked by another user."""
    REQUESTED = "requested"
    RENEWED = "renewed"
    """By a token that Upstox's notifier has posted."""
    UNLINKED = "unlinked"


def _schema(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "bsonType": "object",
        "additionalProperties": False,
        "required": ["_id", *required],
        "properties": {"_id": {}, **required, **optional},
    }


LINK_SCHEMA: Final = _schema(
    {
        "user": _TEXT, "slot": _LONG, "purpose": _PURPOSE, "own_app": _BOOL, "client_id": _TEXT,
        "token": _SEALED, "upstox_user_id": _TEXT, "user_name": {"bsonType": "string"},
        "issued_at": _LONG, "expires_at": _LONG, "linked_at": _LONG, "refused": _BOOL,
    },
    {"secret": _SEALED, "detail": _TEXT, "waiting_until": _LONG},
)  # fmt: skip
LOGIN_SCHEMA: Final = _schema(
    {
        "user": _TEXT, "purpose": _PURPOSE, "own_app": _BOOL, "client_id": _TEXT,
        "expires_at": _DATE,
    },
    {"secret": _SEALED},
)  # fmt: skip
AUDIT_SCHEMA: Final = _schema(
    {
        "at": _DATE, "expires_at": _DATE, "user": _TEXT, "purpose": _PURPOSE,
        "event": {"enum": [event.value for event in LinkEvent]},
    },
    {"upstox_user_id": _TEXT, "client_id": _TEXT, "code": _TEXT, "detail": _TEXT},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link as it is stored. Times are epoch ms."""

    user_id: str
    purpose: LinkPurpose
    own_app: bool
    client_id: str
    sealed_token: str = field(repr=False)
    upstox_user_id: str
    user_name: str
    issued_ms: int
    expires_ms: int
    linked_ms: int
    refused: bool = False
    """Upstox has refused the token."""
    sealed_secret: str | None = field(default=None, repr=False)
    """Of the user's own app."""
    detail: str | None = None
    waiting_until_ms: int | None = None
    """Until when Upstox waits for the user's answer to a request."""

    @property
    def document_id(self) -> str:
        return link_id(self.user_id, self.purpose)


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that has begun."""

    hash: str
    user_id: str
    purpose: LinkPurpose
    own_app: bool
    client_id: str
    expires_at: datetime
    sealed_secret: str | None = field(default=None, repr=False)


def link_id(user_id: str, purpose: LinkPurpose) -> str:
    """The id of a link: the user, or ``feed``, since there is one feed. Raises InvalidField."""
    if user_id == FEED_ID:
        raise InvalidField("user_id: reserved", field="user_id")
    return FEED_ID if purpose is LinkPurpose.FEED else user_id


def token_place(document_id: str) -> Place:
    """Where a link's token is stored."""
    return Place(LINKS, document_id, TOKEN_FIELD)


def secret_place(collection: str, document_id: str) -> Place:
    """Where the secret of a user's own app is stored."""
    return Place(collection, document_id, SECRET_FIELD)


def link_document(link: StoredLink) -> Document:
    """The document of a link."""
    return {
        "_id": link.document_id,
        "user": link.user_id,
        "slot": slot_of(link.user_id),
        "purpose": link.purpose.value,
        "own_app": link.own_app,
        "client_id": link.client_id,
        "token": link.sealed_token,
        "upstox_user_id": link.upstox_user_id,
        "user_name": link.user_name,
        "issued_at": link.issued_ms,
        "expires_at": link.expires_ms,
        "linked_at": link.linked_ms,
        "refused": link.refused,
    } | _present(secret=link.sealed_secret, detail=link.detail, waiting_until=link.waiting_until_ms)


def link_from_document(document: Document) -> StoredLink:
    """The link of a document."""
    return StoredLink(
        user_id=document["user"],
        purpose=LinkPurpose(document["purpose"]),
        own_app=document["own_app"],
        client_id=document["client_id"],
        sealed_token=document["token"],
        upstox_user_id=document["upstox_user_id"],
        user_name=document["user_name"],
        issued_ms=document["issued_at"],
        expires_ms=document["expires_at"],
        linked_ms=document["linked_at"],
        refused=document["refused"],
        sealed_secret=document.get("secret"),
        detail=document.get("detail"),
        waiting_until_ms=document.get("waiting_until"),
    )


def login_document(login: PendingLogin) -> Document:
    """The document of a login that has begun."""
    return {
        "_id": login.hash,
        "user": login.user_id,
        "purpose": login.purpose.value,
        "own_app": login.own_app,
        "client_id": login.client_id,
        "expires_at": login.expires_at,
    } | _present(secret=login.sealed_secret)


def login_from_document(document: Document) -> PendingLogin:
    """The login of a document."""
    return PendingLogin(
        hash=document["_id"],
        user_id=document["user"],
        purpose=LinkPurpose(document["purpose"]),
        own_app=document["own_app"],
        client_id=document["client_id"],
        expires_at=document["expires_at"],
        sealed_secret=document.get("secret"),
    )


def _present(**fields: Any) -> Document:
    return {name: value for name, value in fields.items() if value is not None}
