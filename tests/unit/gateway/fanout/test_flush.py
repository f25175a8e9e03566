"""Clients are written to as often as it is work, and of all that waits nothing is left behind."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.gateway.fanout.flush import turn_secs
from tests.support.delivery import (
    KEYS,
    SUBSCRIBABLE,
    DeliveryScenario,
    Publish,
    Read,
    Stall,
    StallGateway,
    Step,
    Subscribe,
    Unsubscribe,
    Wait,
    run_busy,
)
from tests.support.virtual_time import stall


@pytest.mark.parametrize(
    ("work_secs", "expected"),
    [
        (0.0, 0.0),  # nobody: at once
        (0.001, 0.005),  # few: often, with as much rest as leaves time for all else
        (0.009, 0.018),  # many: within the latency goal
        (0.011, 0.018),
        (0.020, 0.030),  # too many for it: still with a rest
        (1.0, 1.5),
    ],
)
def test_a_turn_leaves_time_for_what_comes_meanwhile(work_secs: float, expected: float) -> None:
    assert turn_secs(work_secs, longest_secs=0.018) == pytest.approx(expected)


def test_a_lone_quote_leaves_soon_however_long_ago_the_one_before_came() -> None:
    async def main() -> None:
        story = DeliveryScenario()
        client = story.clients[0]
        client.subscribe(KEYS[0])
        for gap_ms in range(60):
            story.publish(KEYS[0])
            await asyncio.sleep(gap_ms / 1_000)
            story.publish(KEYS[0])
            await asyncio.sleep(0.1)
            assert client.newest == {KEYS[0]: story.seqs[KEYS[0]]}, f"{gap_ms} ms later"

    run_busy(0.000_5, main())


def test_a_gateway_that_stood_still_sends_the_newest_state_soon_after() -> None:
    async def main() -> None:
        story = DeliveryScenario()
        client = story.clients[0]
        client.subscribe(KEYS[0])
        await asyncio.sleep(0)
        story.publish(KEYS[0])
        await asyncio.sleep(0.001)
        for _ in range(2):
            story.publish(KEYS[0])
        await stall(secs=5)
        await asyncio.sleep(0.1)
        assert client.newest == {KEYS[0]: 3}
        assert client.live == [(KEYS[0], 1)], "the others came as a snapshot"
        story.publish(KEYS[0])
        await asyncio.sleep(0.1)
        assert client.live == [(KEYS[0], 1), (KEYS[0], 4)]

    run_busy(0.000_5, main())


clients = st.integers(0, 2)
publishing = st.builds(Publish, st.sampled_from(KEYS), st.sampled_from([False, False, True]))
passing = st.builds(Wait, st.integers(0, 40))
steps = st.one_of(
    publishing,
    publishing,
    publishing,
    passing,
    passing,
    st.builds(Subscribe, clients, st.sampled_from(SUBSCRIBABLE), st.sampled_from([None, None, 50])),
    st.builds(Unsubscribe, clients, st.sampled_from(SUBSCRIBABLE)),
    st.builds(Stall, clients),
    st.builds(Read, clients),
    st.just(StallGateway()),
)


costs = st.sampled_from([0.0, 0.000_1, 0.000_5])


@given(costs, st.lists(steps, max_size=80))
@example(
    0.0, [Subscribe(0, KEYS[0], None), Wait(0), Publish(KEYS[0], False), Subscribe(0, KEYS[1], 50)]
)
def test_whatever_happens_all_know_the_newest_in_the_end(
    work_secs: float, happens: list[Step]
) -> None:
    async def main() -> None:
        await DeliveryScenario().play(happens)

    run_busy(work_secs, main())


@given(
    costs,
    st.lists(
        st.one_of(
            st.builds(Publish, st.sampled_from(KEYS), st.just(False)),
            passing,
            st.builds(Subscribe, st.integers(1, 2), st.sampled_from(SUBSCRIBABLE), st.just(None)),
            st.builds(Unsubscribe, st.integers(1, 2), st.sampled_from(SUBSCRIBABLE)),
            st.builds(Stall, st.integers(1, 2)),
            st.builds(Read, st.integers(1, 2)),
        ),
        max_size=80,
    ),
)
def test_who_keeps_up_gets_each_quote_once_whatever_the_others_do(
    work_secs: float, happens: list[Step]
) -> None:
    async def main() -> None:
        story = DeliveryScenario()
        reader = story.clients[0]
        reader.subscribe("*")
        for key in KEYS:
            story.publish(key)
        await asyncio.sleep(0.1)
        await story.play(happens)
        for key in KEYS:
            came = [seq for of, seq in reader.live if of == key]
            assert came == [*range(2, story.seqs[key] + 1)]

    run_busy(work_secs, main())
