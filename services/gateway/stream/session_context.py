"""The objects that all stream sessions of a process share."""

from collections.abc import Callable
from dataclasses import dataclass

from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest
from services.gateway.http.token_bucket import KeyedCounter, KeyedTokenBuckets
from services.gateway.settings import GatewaySettings
from services.gateway.stream.registry import StreamRegistry
from services.gateway.stream.stream_log import StreamLog
from shared.contracts.revocations import Revocations
from shared.runtime.clock import Clock
from shared.web.verifier import TokenVerifier


@dataclass(frozen=True, slots=True)
class SessionContext:
    """The objects that all sessions of this process share."""

    hub: Hub
    flusher: Flusher
    interest: Interest
    streams: StreamRegistry
    verifier: TokenVerifier
    revocations: Revocations
    open_by_user: KeyedCounter
    """Open streams by user."""
    requests: KeyedTokenBuckets
    """Request rates by user, over all streams of the user."""
    settings: GatewaySettings
    clock: Clock
    log: StreamLog
    feed_is_current: Callable[[], bool]
    """Whether the feed's status has arrived recently."""
