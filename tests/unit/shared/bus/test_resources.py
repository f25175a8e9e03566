"""Streams and buckets are created once, and updated without weakening their guarantees."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nats.js.api import KeyValueConfig, StreamConfig
from nats.js.errors import NotFoundError

from shared.bus.connection import Bus
from shared.bus.resources import ensure_revocations_bucket, ensure_ticks_stream, open_leases
from shared.errors import ConfigError

CREATED = datetime(2026, 11, 23, tzinfo=UTC)


class FakeJetStream:
    """A JetStream with at most one stream or bucket."""

    def __init__(self, existing: StreamConfig | None = None) -> None:
        self.existing = existing
        self.bucket_ttl_secs: float | None = None
        self.added: list[StreamConfig] = []
        self.updated: list[StreamConfig] = []

    async def stream_info(self, _: str) -> Any:
        if self.existing is None:
            raise NotFoundError
        return SimpleNamespace(config=self.existing)

    async def add_stream(self, config: StreamConfig) -> None:
        self.added.append(config)

    async def update_stream(self, config: StreamConfig) -> None:
        self.updated.append(config)

    async def key_value(self, _: str) -> Any:
        if self.bucket_ttl_secs is None:
            raise NotFoundError
        return self

    async def create_key_value(self, config: KeyValueConfig) -> Any:
        self.bucket_ttl_secs = config.ttl
        return self

    async def status(self) -> Any:
        return SimpleNamespace(
            ttl=self.bucket_ttl_secs, stream_info=SimpleNamespace(created=CREATED)
        )


def bus_with(js: FakeJetStream, *, lease_ttl_secs: float = 5.0) -> Bus:
    settings = SimpleNamespace(replicas=3, lease_ttl_secs=lease_ttl_secs)
    return cast("Bus", SimpleNamespace(js=js, settings=settings))


async def test_a_missing_ticks_stream_is_created() -> None:
    js = FakeJetStream()
    await ensure_ticks_stream(bus_with(js), max_age_secs=60, max_bytes=1_000)
    ((config,), updated) = js.added, js.updated
    assert updated == []
    assert (config.name, config.max_age, config.max_bytes) == ("TICKS", 60, 1_000)
    assert (config.num_replicas, config.duplicate_window) == (3, 60)
    assert config.subjects == ["md.quote.>", "md.candle.1m.>", "md.clock", "md.depth.>"]


async def test_an_existing_ticks_stream_is_updated() -> None:
    js = FakeJetStream(StreamConfig(name="TICKS"))
    await ensure_ticks_stream(bus_with(js), max_age_secs=600, max_bytes=1_000)
    assert js.added == []
    assert [config.max_age for config in js.updated] == [600]


@pytest.mark.parametrize(("is_storing", "max_msg_size"), [(True, -1), (False, 1)])
async def test_a_ticks_stream_that_stores_nothing_keeps_its_subjects(
    is_storing: bool, max_msg_size: int
) -> None:
    js = FakeJetStream(StreamConfig(name="TICKS"))
    await ensure_ticks_stream(bus_with(js), max_age_secs=60, max_bytes=1_000, is_storing=is_storing)
    (config,) = js.updated
    assert config.max_msg_size == max_msg_size
    assert config.subjects == ["md.quote.>", "md.candle.1m.>", "md.clock", "md.depth.>"]


async def test_a_missing_bucket_of_leases_is_created_with_the_ttl_of_the_settings() -> None:
    js = FakeJetStream()
    leases = await open_leases(bus_with(js, lease_ttl_secs=7.0))
    assert js.bucket_ttl_secs == 7.0
    assert leases.epoch_base == int(CREATED.timestamp()) * 1_000


@pytest.mark.parametrize("bucket_ttl_secs", [0.0, 5.0, 9.0])
async def test_a_bucket_whose_leases_last_long_enough_is_used(bucket_ttl_secs: float) -> None:
    js = FakeJetStream()
    js.bucket_ttl_secs = bucket_ttl_secs
    assert cast("object", (await open_leases(bus_with(js))).bucket) is js


async def test_a_bucket_whose_leases_expire_too_early_is_refused() -> None:
    js = FakeJetStream()
    js.bucket_ttl_secs = 4.0
    with pytest.raises(ConfigError, match=r"TRADEDAD_NATS_LEASE_TTL_SECS: 5.0 s is longer"):
        await open_leases(bus_with(js))


@pytest.mark.parametrize(("ttl_secs", "updates"), [(600, [600]), (300, []), (60, [])])
async def test_the_ttl_of_revocations_is_only_raised(ttl_secs: float, updates: list[float]) -> None:
    js = FakeJetStream(StreamConfig(name="KV_revocations", max_age=300))
    await ensure_revocations_bucket(bus_with(js), ttl_secs=ttl_secs)
    assert [config.max_age for config in js.updated] == updates


async def test_a_missing_bucket_of_revocations_keeps_one_message_per_key() -> None:
    js = FakeJetStream()
    await ensure_revocations_bucket(bus_with(js), ttl_secs=60)
    (config,) = js.added
    assert (config.name, config.max_msgs_per_subject, config.deny_delete) == (
        "KV_revocations",
        1,
        True,
    )
