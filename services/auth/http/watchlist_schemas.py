"""The bodies, paths and queries of requests about watchlists."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.auth.core.watchlists import (
    MAX_KEYS,
    MAX_LISTS,
    MAX_NAME_CHARS,
    Watchlist,
    Watchlists,
)
from services.auth.http.schemas import RequestModel, ResponseModel
from shared.contracts.subjects import MAX_KEY_CHARS, key_to_tokens
from shared.errors import InvalidField


def _instrument_key(key: str) -> str:
    try:
        key_to_tokens(key)
    except InvalidField as error:
        raise ValueError(error.detail) from None
    return key


def _distinct(keys: list[str]) -> list[str]:
    if len(set(keys)) != len(keys):
        raise ValueError("one is named twice")
    return keys


ListId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Name = Annotated[
    str,
    # Without control characters, and not of spaces only.
    Field(
        max_length=MAX_NAME_CHARS,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
    ),
]
Key = Annotated[
    str,
    Field(max_length=MAX_KEY_CHARS, json_schema_extra={"pattern": r"^[^|]+\|[^|]+$"}),
    AfterValidator(_instrument_key),
]
Keys = Annotated[
    list[Key],
    Field(max_length=MAX_KEYS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
# The largest number that JavaScript and MongoDB both count with.
_MAX_REVISION = 2**53 - 1


class WatchlistPath(RequestModel):
    """The path of a list."""

    list_id: ListId
    """Chosen by the client when it creates the list."""


class RevisionQuery(RequestModel):
    """The revision that is removed."""

    revision: Annotated[int, Field(ge=1, le=_MAX_REVISION)]


class WatchlistSetting(RequestModel):
    """A list as it is to be."""

    name: Name
    keys: Keys
    """Instrument keys in their order."""
    revision: Annotated[int, Field(strict=True, ge=0, le=_MAX_REVISION)]
    """The revision that this change is based on; 0 for a new list."""


class WatchlistOrder(RequestModel):
    """The order of all lists."""

    list_ids: Annotated[list[ListId], Field(max_length=MAX_LISTS)]
    """The id of each list, once."""


class WatchlistBody(ResponseModel):
    """A list as it is."""

    list_id: str
    name: str
    keys: list[str]
    """Instrument keys in their order."""
    revision: int
    """To be sent with the next change."""

    @classmethod
    def of(cls, watchlist: Watchlist) -> "WatchlistBody":
        return cls(
            list_id=watchlist.list_id,
            name=watchlist.name,
            keys=list(watchlist.keys),
            revision=watchlist.revision,
        )


class WatchlistsBody(ResponseModel):
    """The lists of the user, in their order."""

    lists: list[WatchlistBody]

    @classmethod
    def of(cls, watchlists: Watchlists) -> "WatchlistsBody":
        return cls(lists=[WatchlistBody.of(one) for one in watchlists])
