"""The watchlists of a user: bounded, in the user's order, each changed from its newest revision only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from shared.errors import LimitExceeded, NotFound, Overloaded, StaleRevision

MAX_LISTS: Final = 20
MAX_KEYS: Final = 250
MAX_NAME_CHARS: Final = 40
_MAX_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Watchlist:
    """One list."""

    list_id: str
    """Chosen by the client, so that a repeated request creates no second list."""
    name: str
    keys: tuple[str, ...]
    revision: int
    """Increases by one with each change. Of a change: the revision that it is based on, 0 for none."""


Watchlists = tuple[Watchlist, ...]
Change = Callable[[Watchlists], Watchlists]


class WatchlistStore(Protocol):
    """Durable storage of the lists, one document for each user. Every method may raise Unavailable."""

    async def load(self, user_id: str) -> tuple[int, Watchlists]:
        """Return the version of the user's lists, and the lists; 0 and none before the first change."""
        ...

    async def replace(self, user_id: str, version: int, lists: Watchlists) -> bool:
        """Store `lists` in place of those of `version`; False if they are of another version."""
        ...


class WatchlistService:
    """Reads and changes the lists of a user."""

    def __init__(self, store: WatchlistStore) -> None:
        self._store = store

    async def lists(self, user_id: str) -> Watchlists:
        """Return the user's lists in their order. Raises Unavailable."""
        return (await self._store.load(user_id))[1]

    async def change(self, user_id: str, change: Change) -> Watchlists:
        """Apply `change` to the newest lists, and return them.

        Raises what `change` raises; Overloaded if other requests were faster each time, and
        Unavailable.
        """
        for _ in range(_MAX_TRIES):
            version, lists = await self._store.load(user_id)
            changed = change(lists)
            if changed == lists or await self._store.replace(user_id, version, changed):
                return changed
        raise Overloaded("the watchlists are being changed by other requests; try again")


def saved(lists: Watchlists, wanted: Watchlist) -> Watchlists:
    """Return `lists` with `wanted` as its next revision; a list of revision 0 is appended.

    The same change once more, of a client that has missed the answer, changes nothing. Raises
    StaleRevision, NotFound if the list was removed, and LimitExceeded.
    """
    after = replace(wanted, revision=wanted.revision + 1)
    found = _find(lists, wanted.list_id)
    if found == after:
        return lists
    if found is not None:
        _check(found, wanted.revision)
        return tuple(after if one is found else one for one in lists)
    if wanted.revision != 0:
        raise NotFound("this watchlist was removed")
    if len(lists) >= MAX_LISTS:
        raise LimitExceeded(f"a user has at most {MAX_LISTS} watchlists")
    return (*lists, after)


def removed(lists: Watchlists, list_id: str, revision: int) -> Watchlists:
    """Return `lists` without this one, if there is one. Raises StaleRevision."""
    found = _find(lists, list_id)
    if found is None:
        return lists
    _check(found, revision)
    return tuple(one for one in lists if one is not found)


def ordered(lists: Watchlists, list_ids: Sequence[str]) -> Watchlists:
    """Return `lists` in this order. Raises StaleRevision unless it names each list once."""
    by_id = {one.list_id: one for one in lists}
    if sorted(list_ids) != sorted(by_id):
        raise StaleRevision("the order does not name each watchlist once; read the lists again")
    return tuple(by_id[list_id] for list_id in list_ids)


def _find(lists: Watchlists, list_id: str) -> Watchlist | None:
    return next((one for one in lists if one.list_id == list_id), None)


def _check(found: Watchlist, revision: int) -> None:
    if found.revision != revision:
        raise StaleRevision(
            f"this watchlist was changed elsewhere: its revision is {found.revision}, not {revision}"
        )
