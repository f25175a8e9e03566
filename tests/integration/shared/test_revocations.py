"""Revocations on a real nats-server: published by auth, read and received by gateways."""

import json

import pytest
from nats.aio.msg import Msg

from shared.bus.resources import ensure_revocations_bucket
from shared.bus.stream_reader import StreamReader
from shared.contracts.revocations import (
    ALL_REVOCATIONS,
    STREAM,
    Revocation,
    SessionRevoked,
    UserRevoked,
    decode,
    encode,
)
from shared.contracts.subjects import AUTH_JETSTREAM_API
from tests.support.buses import bus_of, flushed
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

REVOCATIONS: list[Revocation] = [
    SessionRevoked(session_id="s1", until=2_000_000_000),
    UserRevoked(user_id="u1", before=1_900_000_000, until=2_000_000_000),
]


async def test_the_gateway_reads_stored_revocations_and_receives_new_ones(nats: NatsServer) -> None:
    async with bus_of(nats, "auth") as auth, bus_of(nats, "gateway") as gateway:
        await ensure_revocations_bucket(auth, ttl_secs=60)
        await auth.js.publish(*encode(REVOCATIONS[0]))
        received: list[Revocation] = []

        async def on_revocation(message: Msg) -> None:
            received.append(decode(message.subject, message.data))

        await gateway.client.subscribe(ALL_REVOCATIONS, cb=on_revocation)
        await flushed(gateway.client)
        await auth.js.publish(*encode(REVOCATIONS[1]))
        await eventually(lambda: received, what="the gateway receives the revocation")
        assert received == [REVOCATIONS[1]]
        reader = StreamReader(gateway, STREAM, AUTH_JETSTREAM_API, start=None)
        async with reader:
            entries = [entry async for batch in reader.backlog() for entry in batch]
        stored = [decode(entry.subject, entry.data) for entry in entries]
        assert stored == REVOCATIONS


async def test_the_bucket_has_one_entry_for_a_session_and_its_ttl_never_becomes_shorter(
    nats: NatsServer,
) -> None:
    async with bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=60)
        await ensure_revocations_bucket(auth, ttl_secs=600)
        await ensure_revocations_bucket(auth, ttl_secs=60)
        for until in (2_000_000_000, 2_000_000_001):
            await auth.js.publish(*encode(SessionRevoked(session_id="s1", until=until)))
        info = await auth.js.stream_info(STREAM)
        assert info.config.max_age == 600
        assert info.state.messages == 1


@pytest.mark.parametrize("reply_subject", ["$KV.revocations.session.s2", "md.quote.A.B"])
async def test_a_gateway_cannot_publish_a_revocation_through_the_reply_subject_of_a_request(
    nats: NatsServer, reply_subject: str
) -> None:
    async with bus_of(nats, "auth") as auth, bus_of(nats, "gateway") as gateway:
        await ensure_revocations_bucket(auth, ttl_secs=60)
        await auth.js.publish(*encode(REVOCATIONS[0]))
        create = f"{AUTH_JETSTREAM_API}.CONSUMER.CREATE.{STREAM}"
        config = {"ack_policy": "none", "deliver_policy": "all"}
        body = json.dumps({"stream_name": STREAM, "config": config}).encode()
        consumer = json.loads(
            (await gateway.client.request(create, body, timeout=PATIENCE_SECS)).data
        )
        next_entry = f"{AUTH_JETSTREAM_API}.CONSUMER.MSG.NEXT.{STREAM}.{consumer['name']}"
        await gateway.client.publish(create, body, reply=reply_subject)
        await gateway.client.publish(next_entry, b'{"batch":1}', reply=reply_subject)
        # A later request on the same connection: its reply comes after those were handled.
        await gateway.client.request(create, body, timeout=PATIENCE_SECS)
        assert (await auth.js.stream_info(STREAM)).state.messages == 1
