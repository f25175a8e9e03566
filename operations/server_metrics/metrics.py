"""Prometheus metrics of the servers: NATS, MongoDB and TLS certificates."""

from typing import Final

from prometheus_client import Counter, Gauge

NATS_UP: Final = Gauge(
    "tradedad_nats_up",
    "1 while the nats-server answers at its monitoring port.",
    ["server"],
)
NATS_CONNECTIONS: Final = Gauge(
    "tradedad_nats_connections", "Open client connections of a nats-server.", ["server"]
)
NATS_OPENED_CONNECTIONS: Final = Counter(
    "tradedad_nats_opened_connections_total",
    "Client connections that a nats-server has accepted; many mean that clients reconnect.",
    ["server"],
)
NATS_SLOW_CONSUMERS: Final = Counter(
    "tradedad_nats_slow_consumers_total",
    "Clients that a nats-server has disconnected because they read too slowly.",
    ["server"],
)
NATS_MEMORY_BYTES: Final = Gauge(
    "tradedad_nats_memory_bytes", "Resident memory of a nats-server.", ["server"]
)
NATS_CLUSTER_SERVERS: Final = Gauge(
    "tradedad_nats_cluster_servers",
    "Servers of the cluster that a nats-server is connected with, itself included.",
    ["server"],
)
NATS_STORAGE_BYTES: Final = Gauge(
    "tradedad_nats_storage_bytes", "Disk that JetStream uses on a nats-server.", ["server"]
)
NATS_STORAGE_LIMIT_BYTES: Final = Gauge(
    "tradedad_nats_storage_limit_bytes", "Disk that JetStream may use.", ["server"]
)
NATS_STREAM_MESSAGES: Final = Gauge(
    "tradedad_nats_stream_messages", "Messages in a stream of JetStream.", ["stream"]
)
NATS_STREAM_BYTES: Final = Gauge(
    "tradedad_nats_stream_bytes", "Size of a stream, without its replicas.", ["stream"]
)
NATS_STREAM_LAST_SEQUENCE: Final = Gauge(
    "tradedad_nats_stream_last_sequence", "Sequence number of the newest message.", ["stream"]
)
NATS_STREAM_HAS_LEADER: Final = Gauge(
    "tradedad_nats_stream_has_leader",
    "1 while a server leads the stream; without a leader nothing is stored.",
    ["stream"],
)
# Consumers are made anew with random names at each connection, so they are no label.
NATS_STREAM_CONSUMERS: Final = Gauge(
    "tradedad_nats_stream_consumers", "Consumers of a stream.", ["stream"]
)
NATS_STREAM_PENDING: Final = Gauge(
    "tradedad_nats_stream_pending_messages",
    "Messages that the slowest consumer of a stream has not been sent yet.",
    ["stream"],
)

MONGODB_UP: Final = Gauge(
    "tradedad_mongodb_up", "1 while the member of the replica set answers.", ["member"]
)
MONGODB_MEMBERS: Final = Gauge(
    "tradedad_mongodb_members",
    "Members of the replica set by state, as the primary sees them.",
    ["state"],
)
MONGODB_REPLICATION_LAG_SECONDS: Final = Gauge(
    "tradedad_mongodb_replication_lag_seconds",
    "How far the newest operation of a member is behind the newest of all.",
    ["member"],
)
MONGODB_OPLOG_WINDOW_SECONDS: Final = Gauge(
    "tradedad_mongodb_oplog_window_seconds",
    "Time between the oldest and the newest operation in the oplog.",
    ["member"],
)
MONGODB_CONNECTIONS: Final = Gauge(
    "tradedad_mongodb_connections", "Open connections of a member.", ["member"]
)
MONGODB_CONNECTIONS_LEFT: Final = Gauge(
    "tradedad_mongodb_connections_left", "Connections that a member would still accept.", ["member"]
)
MONGODB_DISK_BYTES: Final = Gauge(
    "tradedad_mongodb_disk_bytes", "Size of the disk with a member's data.", ["member"]
)
MONGODB_DISK_FREE_BYTES: Final = Gauge(
    "tradedad_mongodb_disk_free_bytes", "Free space of that disk.", ["member"]
)

CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS: Final = Gauge(
    "tradedad_certificate_expiry_timestamp_seconds",
    "Unix time at which a certificate ends, as its server presents it.",
    ["certificate"],
)
CERTIFICATE_READ: Final = Gauge(
    "tradedad_certificate_read",
    "1 if the certificate could be read the last time.",
    ["certificate"],
)
