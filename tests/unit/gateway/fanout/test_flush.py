"""Clients are written to as often as it is work, and of all that waits nothing is left behind."""

import asyncio

from hypothesis import example, given
from hypothesis import strategies as st

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


def test_an_idle_gateway_writes_each_quote_at_once() -> None:
    async def main() -> None:
        story = DeliveryScenario()
        client = story.clients[0]
        client.subscribe(KEYS[0])
        story.publish(KEYS[0])
        await asyncio.sleep(0.001)
        for seq in (2, 3, 4):
            story.publish(KEYS[0])
            assert client.live[-1] == (KEYS[0], seq), "before any timer has fired"

    run_busy(0.0, main())


def test_a_loaded_gateway_lets_quotes_share_a_write() -> None:
    async def main() -> None:
        story = DeliveryScenario()
        client = story.clients[0]
        client.subscribe(KEYS[0])
        story.publish(KEYS[0])
        await asyncio.sleep(0.001)
        story.load_to(5.0)
        for _ in range(3):
            story.publish(KEYS[0])
        assert client.newest == {KEYS[0]: 1}
        await asyncio.sleep(0.1)
        assert client.newest == {KEYS[0]: 4}

    run_busy(0.000_5, main())


def test_a_gateway_that_stood_still_sends_the_newest_state_soon_after() -> None:
    async def main() -> None:
        story = DeliveryScenario()
        client = story.clients[0]
        client.subscribe(KEYS[0])
        await asyncio.sleep(0)
        story.publish(KEYS[0])
        await asyncio.sleep(0.001)
        story.load_to(5.0)
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
