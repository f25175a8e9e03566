"""What waits is bounded; states are conflated to the newest, events are not."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tradedad_client.mailbox import Every, Latest, Newest


@dataclass(frozen=True)
class State:
    key: str
    epoch: int
    seq: int


def newest(most: int) -> Newest[State]:
    return Newest(most, lambda state: state.key, lambda state: (state.epoch, state.seq))


def drain(box: Newest[State]) -> list[State]:
    taken = []
    while (state := box.take()) is not None:
        taken.append(state)
    return taken


def test_whoever_keeps_up_gets_every_state() -> None:
    box = newest(3)
    states = [State("a", 1, seq) for seq in range(1, 4)]
    for state in states:
        box.put(state)
    assert drain(box) == states
    assert box.conflated == 0


def test_beyond_the_bound_the_newest_of_each_is_kept_and_the_rest_counted() -> None:
    box = newest(3)
    for seq in range(1, 6):
        box.put(State("a", 1, seq))
        box.put(State("b", 1, seq))
    assert drain(box) == [State("a", 1, 5), State("b", 1, 5)]
    assert box.conflated == 8


def test_once_it_was_emptied_every_state_is_kept_again() -> None:
    box = newest(1)
    for seq in range(1, 9):
        box.put(State("a", 1, seq))
    assert drain(box) == [State("a", 1, 8)]
    box.put(State("a", 1, 9))
    assert drain(box) == [State("a", 1, 9)]


def test_nothing_goes_back_in_time_nor_comes_twice() -> None:
    box = newest(10)
    box.put(State("a", 2, 5))
    assert drain(box) == [State("a", 2, 5)]
    for old in (State("a", 2, 5), State("a", 2, 4), State("a", 1, 900)):
        assert box.put(old)
    assert drain(box) == []
    assert box.outdated == 2, "one was the same"
    box.put(State("a", 3, 1))
    assert drain(box) == [State("a", 3, 1)]


@given(
    most=st.integers(1, 8),
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(1, 9)), st.none()
        )
    ),
)
def test_whatever_happens_each_instrument_rises_and_its_newest_comes_last(
    most: int, steps: list[tuple[str, int, int] | None]
) -> None:
    box = newest(most)
    sent: dict[str, tuple[int, int]] = {}
    seen: dict[str, tuple[int, int]] = {}

    def take() -> State | None:
        state = box.take()
        if state is not None:
            assert (state.epoch, state.seq) > seen.get(state.key, (0, 0))
            seen[state.key] = state.epoch, state.seq
        return state

    for step in steps:
        if step is None:
            take()
            continue
        key, epoch, seq = step
        box.put(State(key, epoch, seq))
        sent[key] = max(sent.get(key, (0, 0)), (epoch, seq))
        assert len(box) <= max(most, 3) + 1
    while take() is not None:
        pass
    assert seen == sent


def test_events_beyond_the_bound_are_not_taken_in() -> None:
    box: Every[int] = Every(2)
    assert [box.put(number) for number in range(3)] == [True, True, False]
    assert [box.take(), box.take(), box.take()] == [0, 1, None]


def test_an_event_that_a_snapshot_repeats_comes_once() -> None:
    box: Every[State] = Every(9, lambda state: state.key)
    first, amended = State("a", 1, 1), State("a", 1, 2)
    for state in (first, first, amended, first, State("b", 1, 1)):
        box.put(state)
    assert [box.take() for _ in range(4)] == [first, amended, first, State("b", 1, 1)]
    assert box.take() is None


def test_of_news_the_oldest_make_room() -> None:
    box: Latest[int] = Latest(2)
    for number in range(5):
        box.put(number)
    assert [box.take(), box.take(), box.take()] == [3, 4, None]
