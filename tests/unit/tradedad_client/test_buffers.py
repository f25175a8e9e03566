"""Buffers are bounded: states are conflated, events are refused or the oldest dropped."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tradedad_client.buffers import ConflatingBuffer, FifoBuffer, RingBuffer


@dataclass(frozen=True)
class State:
    key: str
    epoch: int
    seq: int


def conflating(max_items: int) -> ConflatingBuffer[State]:
    return ConflatingBuffer(
        max_items, lambda state: state.key, lambda state: (state.epoch, state.seq)
    )


def drain(buffer: ConflatingBuffer[State]) -> list[State]:
    taken = []
    while (state := buffer.take()) is not None:
        taken.append(state)
    return taken


def test_a_reader_that_keeps_up_gets_every_state() -> None:
    buffer = conflating(3)
    states = [State("a", 1, seq) for seq in range(1, 4)]
    for state in states:
        buffer.put(state)
    assert drain(buffer) == states
    assert buffer.conflated == 0


def test_a_full_buffer_keeps_the_newest_state_of_each_instrument_and_counts_the_others() -> None:
    buffer = conflating(3)
    for seq in range(1, 6):
        buffer.put(State("a", 1, seq))
        buffer.put(State("b", 1, seq))
    assert drain(buffer) == [State("a", 1, 5), State("b", 1, 5)]
    assert buffer.conflated == 8


def test_an_emptied_buffer_keeps_every_state_again() -> None:
    buffer = conflating(1)
    for seq in range(1, 9):
        buffer.put(State("a", 1, seq))
    assert drain(buffer) == [State("a", 1, 8)]
    buffer.put(State("a", 1, 9))
    assert drain(buffer) == [State("a", 1, 9)]


def test_states_that_are_not_newer_are_dropped() -> None:
    buffer = conflating(10)
    buffer.put(State("a", 2, 5))
    assert drain(buffer) == [State("a", 2, 5)]
    for old in (State("a", 2, 5), State("a", 2, 4), State("a", 1, 900)):
        assert buffer.put(old)
    assert drain(buffer) == []
    assert buffer.outdated == 2, "the repeated state is not outdated"
    buffer.put(State("a", 3, 1))
    assert drain(buffer) == [State("a", 3, 1)]


@given(
    max_items=st.integers(1, 8),
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(1, 9)), st.none()
        )
    ),
)
def test_versions_of_an_instrument_rise_and_the_newest_is_delivered(
    max_items: int, steps: list[tuple[str, int, int] | None]
) -> None:
    buffer = conflating(max_items)
    sent: dict[str, tuple[int, int]] = {}
    received: dict[str, tuple[int, int]] = {}

    def take() -> State | None:
        state = buffer.take()
        if state is not None:
            assert (state.epoch, state.seq) > received.get(state.key, (0, 0))
            received[state.key] = state.epoch, state.seq
        return state

    for step in steps:
        if step is None:
            take()
            continue
        key, epoch, seq = step
        buffer.put(State(key, epoch, seq))
        sent[key] = max(sent.get(key, (0, 0)), (epoch, seq))
        assert len(buffer) <= max(max_items, 3) + 1
    while take() is not None:
        pass
    assert received == sent


def test_a_full_fifo_buffer_refuses_messages() -> None:
    buffer: FifoBuffer[int] = FifoBuffer(2)
    assert [buffer.put(number) for number in range(3)] == [True, True, False]
    assert [buffer.take(), buffer.take(), buffer.take()] == [0, 1, None]


def test_a_repeated_message_is_delivered_once() -> None:
    buffer: FifoBuffer[State] = FifoBuffer(9, lambda state: state.key)
    first, amended = State("a", 1, 1), State("a", 1, 2)
    for state in (first, first, amended, first, State("b", 1, 1)):
        buffer.put(state)
    assert [buffer.take() for _ in range(4)] == [first, amended, first, State("b", 1, 1)]
    assert buffer.take() is None


def test_a_full_ring_buffer_drops_the_oldest_messages() -> None:
    buffer: RingBuffer[int] = RingBuffer(2)
    for number in range(5):
        buffer.put(number)
    assert [buffer.take(), buffer.take(), buffer.take()] == [3, 4, None]
