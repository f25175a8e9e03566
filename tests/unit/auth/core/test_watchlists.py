import pytest

from services.auth.core.watchlists import (
    MAX_LISTS,
    Watchlist,
    Watchlists,
    WatchlistService,
    ordered,
    removed,
    saved,
)
from shared.errors import LimitExceeded, NotFound, Overloaded, StaleRevision
from tests.unit.auth.fakes import MemoryLists

KEYS = ("NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50")


def one(list_id: str = "a", revision: int = 0, name: str = "Mine") -> Watchlist:
    return Watchlist(list_id, name, KEYS, revision)


BOTH: Watchlists = (one("a", 3), one("b", 1))


def test_a_new_list_is_the_last_one_with_revision_one() -> None:
    assert saved(BOTH, one("c")) == (*BOTH, one("c", 1))


def test_a_change_of_the_newest_revision_makes_the_next_one_in_the_same_place() -> None:
    assert saved(BOTH, one("a", 3, "Other")) == (one("a", 4, "Other"), BOTH[1])


@pytest.mark.parametrize("revision", [0, 1, 4])
def test_a_change_of_any_other_revision_is_refused(revision: int) -> None:
    with pytest.raises(StaleRevision, match="revision is 3"):
        saved(BOTH, one("a", revision, "Other"))


def test_a_repeated_request_changes_nothing() -> None:
    once = saved(BOTH, one("a", 3, "Other"))
    assert saved(once, one("a", 3, "Other")) == once
    created = saved((), one())
    assert saved(created, one()) == created


def test_a_change_of_a_removed_list_is_not_found() -> None:
    with pytest.raises(NotFound):
        saved(BOTH, one("c", 2))


def test_a_user_has_a_bounded_number_of_lists() -> None:
    lists = tuple(one(str(number), 1) for number in range(MAX_LISTS))
    with pytest.raises(LimitExceeded, match=str(MAX_LISTS)):
        saved(lists, one())
    assert saved(lists, one("0", 1, "Other"))[0].name == "Other"


def test_a_list_is_removed_by_its_newest_revision_only_and_once() -> None:
    with pytest.raises(StaleRevision):
        removed(BOTH, "a", 2)
    left = removed(BOTH, "a", 3)
    assert left == (BOTH[1],)
    assert removed(left, "a", 3) == left


@pytest.mark.parametrize("order", [["a"], ["a", "b", "c"], ["a", "a"], []])
def test_an_order_that_does_not_name_each_list_once_is_refused(order: list[str]) -> None:
    with pytest.raises(StaleRevision):
        ordered(BOTH, order)


def test_lists_are_put_in_order_without_new_revisions() -> None:
    assert ordered(BOTH, ["b", "a"]) == (BOTH[1], BOTH[0])


async def test_a_change_is_applied_again_if_another_request_was_faster() -> None:
    store = MemoryLists(rivals=2)
    service = WatchlistService(store)
    assert await service.change("u1", lambda lists: saved(lists, one())) == (one(revision=1),)
    assert await service.lists("u1") == (one(revision=1),)


async def test_a_change_that_is_never_fast_enough_is_refused() -> None:
    service = WatchlistService(MemoryLists(rivals=99))
    with pytest.raises(Overloaded):
        await service.change("u1", lambda lists: saved(lists, one()))


async def test_a_change_that_changes_nothing_is_not_stored() -> None:
    store = MemoryLists()
    await WatchlistService(store).change("u1", lambda lists: removed(lists, "a", 1))
    assert store.version == 0
