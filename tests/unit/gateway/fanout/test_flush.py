"""The flusher on virtual time: the time of each write, and delivery of the newest state."""

import asyncio

from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.gateway.fanout.channels import Channel
from services.gateway.fanout.interest import Interest
from services.gateway.fanout.outbox import Outbox
from services.gateway.stream.json_framing import JsonFraming
from services.gateway.stream.protocol import Subscribe as Subscription
from services.gateway.stream.subscriptions import StreamSubscriptions
from shared.contracts.subjects import order_subject
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


def test_a_single_quote_is_sent_within_100_ms_at_any_distance_from_the_last() -> None:
    async def main() -> None:
        scenario = DeliveryScenario()
        client = scenario.clients[0]
        client.subscribe(KEYS[0])
        for gap_ms in range(60):
            scenario.publish(KEYS[0])
            await asyncio.sleep(gap_ms / 1_000)
            scenario.publish(KEYS[0])
            await asyncio.sleep(0.1)
            assert client.newest == {KEYS[0]: scenario.seqs[KEYS[0]]}, f"{gap_ms} ms later"

    run_busy(0.000_5, main())


def test_an_idle_gateway_writes_each_quote_at_once() -> None:
    async def main() -> None:
        scenario = DeliveryScenario()
        client = scenario.clients[0]
        client.subscribe(KEYS[0])
        scenario.publish(KEYS[0])
        await asyncio.sleep(0.001)
        for seq in (2, 3, 4):
            scenario.publish(KEYS[0])
            assert client.live[-1] == (KEYS[0], seq), "before any timer has fired"

    run_busy(0.0, main())


def latency(part: str) -> float:
    value = REGISTRY.get_sample_value(f"tradedad_gateway_latency_seconds_{part}")
    assert value is not None
    return value


def test_a_quote_of_a_clock_that_is_ahead_does_not_lower_the_latency() -> None:
    async def main() -> None:
        scenario = DeliveryScenario()
        scenario.clients[0].subscribe(KEYS[0])
        count, total = latency("count"), latency("sum")
        for _ in range(3):
            scenario.publish(KEYS[0], age_secs=-5.0)
            await asyncio.sleep(0.1)
        assert latency("count") > count
        assert latency("sum") == total

    run_busy(0.0, main())


def test_no_event_overtakes_the_reply_to_its_subscription() -> None:
    async def main() -> None:
        scenario = DeliveryScenario()
        written: list[bytes] = []
        outbox = Outbox(write=written.append, unsent=lambda: 0, framing=JsonFraming())
        hub, flusher = scenario.hub, scenario.flusher
        subscriptions = StreamSubscriptions(hub, flusher, Interest("gw"), outbox, limit=100)
        subscriptions.subscribe(Subscription(1, Channel.ORDERS), "user-1", 0.0)
        outbox.reply(b'{"type":"ack"}')
        flusher.nudge(outbox)
        hub.put(Channel.ORDERS, order_subject("user-1"), b'{"seq":1}')
        flusher.mark()
        await asyncio.sleep(0.001)
        data = b"".join(written)
        assert 0 <= data.index(b"ack") < data.index(b'"seq":1')

    run_busy(0.0, main())


def test_a_loaded_gateway_batches_quotes_into_one_write() -> None:
    async def main() -> None:
        scenario = DeliveryScenario()
        client = scenario.clients[0]
        client.subscribe(KEYS[0])
        scenario.publish(KEYS[0])
        await asyncio.sleep(0.001)
        scenario.load_to(5.0)
        for _ in range(3):
            scenario.publish(KEYS[0])
        assert client.newest == {KEYS[0]: 1}
        await asyncio.sleep(0.1)
        assert client.newest == {KEYS[0]: 4}

    run_busy(0.000_5, main())


def test_a_gateway_that_was_suspended_sends_the_newest_state_as_a_snapshot() -> None:
    async def main() -> None:
        scenario = DeliveryScenario()
        client = scenario.clients[0]
        client.subscribe(KEYS[0])
        await asyncio.sleep(0)
        scenario.publish(KEYS[0])
        await asyncio.sleep(0.001)
        scenario.load_to(5.0)
        for _ in range(2):
            scenario.publish(KEYS[0])
        await stall(secs=5)
        await asyncio.sleep(0.1)
        assert client.newest == {KEYS[0]: 3}
        assert client.live == [(KEYS[0], 1)], "the other quotes are sent as a snapshot"
        scenario.publish(KEYS[0])
        await asyncio.sleep(0.1)
        assert client.live == [(KEYS[0], 1), (KEYS[0], 4)]

    run_busy(0.000_5, main())


clients = st.integers(0, 2)
publishing = st.builds(Publish, st.sampled_from(KEYS), st.sampled_from([False, False, True]))
waiting = st.builds(Wait, st.integers(0, 40))
steps = st.one_of(
    publishing,
    publishing,
    publishing,
    waiting,
    waiting,
    st.builds(Subscribe, clients, st.sampled_from(SUBSCRIBABLE), st.sampled_from([None, None, 50])),
    st.builds(Unsubscribe, clients, st.sampled_from(SUBSCRIBABLE)),
    st.builds(Stall, clients),
    st.builds(Read, clients),
    st.just(StallGateway()),
)


work_times = st.sampled_from([0.0, 0.000_1, 0.000_5])


@given(work_times, st.lists(steps, max_size=80))
@example(
    0.0, [Subscribe(0, KEYS[0], None), Wait(0), Publish(KEYS[0], False), Subscribe(0, KEYS[1], 50)]
)
def test_any_sequence_of_steps_ends_with_the_newest_state_at_every_client(
    work_secs: float, sequence: list[Step]
) -> None:
    async def main() -> None:
        await DeliveryScenario().play(sequence)

    run_busy(work_secs, main())


@given(
    work_times,
    st.lists(
        st.one_of(
            st.builds(Publish, st.sampled_from(KEYS), st.just(False)),
            waiting,
            st.builds(Subscribe, st.integers(1, 2), st.sampled_from(SUBSCRIBABLE), st.just(None)),
            st.builds(Unsubscribe, st.integers(1, 2), st.sampled_from(SUBSCRIBABLE)),
            st.builds(Stall, st.integers(1, 2)),
            st.builds(Read, st.integers(1, 2)),
        ),
        max_size=80,
    ),
)
def test_a_client_that_keeps_up_gets_each_quote_once_whatever_other_clients_do(
    work_secs: float, sequence: list[Step]
) -> None:
    async def main() -> None:
        scenario = DeliveryScenario()
        reader = scenario.clients[0]
        reader.subscribe("*")
        for key in KEYS:
            scenario.publish(key)
        await asyncio.sleep(0.1)
        await scenario.play(sequence)
        for key in KEYS:
            seqs = [seq for live_key, seq in reader.live if live_key == key]
            assert seqs == [*range(2, scenario.seqs[key] + 1)]

    run_busy(work_secs, main())
