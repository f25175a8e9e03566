"""JetStream resources: the stream of ticks, the bucket of leases, the bucket of revocations."""

from typing import Final

from nats.js.api import (
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import NotFoundError

from shared.bus.connection import Bus
from shared.bus.lease import Leases
from shared.contracts.revocations import ALL_REVOCATIONS
from shared.contracts.revocations import STREAM as REVOCATIONS_STREAM
from shared.contracts.subjects import LEASES_BUCKET, TICKS_STREAM, TICKS_SUBJECTS
from shared.errors import ConfigError

_MAX_REVOCATIONS_BYTES: Final = 64 << 20


async def ensure_ticks_stream(bus: Bus, *, max_age_secs: float, max_bytes: int) -> None:
    """Create or update TICKS, the replay buffer of everything that bars are made of.

    Raises nats.errors.Error if the server does not answer or refuses.
    """
    config = StreamConfig(
        name=TICKS_STREAM,
        subjects=list(TICKS_SUBJECTS),
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_age=max_age_secs,
        max_bytes=max_bytes,
        max_msgs_per_subject=-1,
        num_replicas=bus.settings.replicas,
        no_ack=True,
        duplicate_window=min(120.0, max_age_secs),
    )
    try:
        await bus.js.stream_info(TICKS_STREAM)
    except NotFoundError:
        await bus.js.add_stream(config)
    else:
        await bus.js.update_stream(config)


async def open_leases(bus: Bus) -> Leases:
    """The bucket of leases; entries vanish when the TTL of the settings has passed.

    The TTL is the bucket's: nats-server 2.9 silently ignores one per message. Raises
    ConfigError if the bucket was made with a shorter one: it would let another leader
    in while the last still counts on its lease.
    """
    ttl_secs = bus.settings.lease_ttl_secs
    try:
        bucket = await bus.js.key_value(LEASES_BUCKET)
    except NotFoundError:
        config = KeyValueConfig(
            bucket=LEASES_BUCKET,
            ttl=ttl_secs,
            history=1,
            storage=StorageType.FILE,
            replicas=bus.settings.replicas,
        )
        bucket = await bus.js.create_key_value(config)
    status = await bucket.status()
    kept_secs = status.ttl or 0.0
    if 0.0 < kept_secs < ttl_secs:
        problem = (
            f"TRADEDAD_NATS_LEASE_TTL_SECS: {ttl_secs} s is longer than the {kept_secs} s of the "
            "bucket in NATS; go back to that, or stop ingest and persister and delete the stream "
            f"KV_{LEASES_BUCKET}"
        )
        raise ConfigError([problem])
    return Leases(bucket, _made_at_ms(status.stream_info))


def _made_at_ms(info: StreamInfo) -> int:
    return 0 if info.created is None else int(info.created.timestamp() * 1_000)


async def ensure_revocations_bucket(bus: Bus, *, ttl_secs: float) -> None:
    """Make the bucket that auth keeps revocations in, or have it keep them for longer.

    It is never made to forget sooner: older tokens may live as long as they were given.
    Raises nats.errors.Error if the server does not answer or refuses.
    """
    config = StreamConfig(
        name=REVOCATIONS_STREAM,
        subjects=[ALL_REVOCATIONS],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_age=ttl_secs,
        max_bytes=_MAX_REVOCATIONS_BYTES,
        max_msgs_per_subject=1,
        num_replicas=bus.settings.replicas,
        allow_rollup_hdrs=True,
        deny_delete=True,
        duplicate_window=min(120.0, ttl_secs),
    )
    try:
        known = (await bus.js.stream_info(REVOCATIONS_STREAM)).config
    except NotFoundError:
        await bus.js.add_stream(config)
    else:
        if (known.max_age or 0.0) < ttl_secs:
            await bus.js.update_stream(config)
