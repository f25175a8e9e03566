"""The user of one stream and the validity of its access token: checks, renewal and expiry."""

from typing import NamedTuple

from shared.contracts.revocations import Revocations
from shared.errors import Revoked, TokenExpired, Unauthenticated
from shared.runtime.clock import Clock
from shared.web.verifier import Principal


class ExpiryWarning(NamedTuple):
    """The client must be told that its token expires soon."""

    expires_at: int
    """Unix seconds."""
    deadline: float
    """Loop time at which the token expires."""


class StreamAuthentication:
    """Decides who may use the stream and until when. Sends nothing.

    Each `now` is loop time. A deadline is the loop time at which `on_deadline` must be called.
    """

    __slots__ = ("_clock", "_has_warned", "_revocations", "_warning_secs", "principal")

    def __init__(self, revocations: Revocations, clock: Clock, *, warning_secs: float) -> None:
        self._revocations = revocations
        self._clock = clock
        self._warning_secs = warning_secs
        self._has_warned = False
        self.principal: Principal | None = None
        """The principal of the newest accepted token; None before the first."""

    def check(self, principal: Principal) -> None:
        """Raises Unauthenticated unless a token of `principal` may start or renew the stream."""
        if self._revocations.is_revoked(principal):
            raise Revoked("the session was ended")
        if self._remaining_secs(principal) <= 0:
            raise TokenExpired("the token has expired")
        if self.principal is not None and principal.session_id != self.principal.session_id:
            raise Unauthenticated("the token belongs to another session than this stream")

    def accept(self, principal: Principal, now: float) -> float:
        """Start or renew the stream with a checked principal. Returns the next deadline."""
        self.principal = principal
        self._has_warned = False
        return now + max(0.0, self._remaining_secs(principal) - self._warning_secs)

    def on_deadline(self, now: float) -> ExpiryWarning:
        """The warning that is due. Raises Unauthenticated if the stream must end instead."""
        if self.principal is None:
            raise Unauthenticated("no token was sent in time")
        if self._has_warned:
            raise TokenExpired("the token has expired")
        self._has_warned = True
        return ExpiryWarning(self.principal.expires_at, now + self._remaining_secs(self.principal))

    def is_ended_by(self, issued_before: int | None) -> bool:
        """Whether a revocation ends the stream; it concerns tokens issued until `issued_before`.

        `issued_before` is Unix seconds; None stands for all tokens.
        """
        if self.principal is None:
            return False
        return issued_before is None or self.principal.issued_at <= issued_before

    def _remaining_secs(self, principal: Principal) -> float:
        return principal.expires_at - self._clock.now_ms() / 1_000
