"""The access token of one stream: verified, renewed and expired."""

from typing import Final

from services.gateway.settings import GatewaySettings
from services.gateway.stream import replies
from services.gateway.stream.protocol import CloseCode
from services.gateway.stream.registry import StreamTermination
from shared.contracts.revocations import Revocations
from shared.errors import Code, TokenExpired, Unauthenticated, Unavailable
from shared.runtime.clock import Clock
from shared.web.verifier import Principal, TokenVerifier

_NOT_ANSWERED: Final = "the token was not verified in time: the auth service does not answer"


class StreamAuthentication:
    """Whose stream this is, and until when.

    A stream whose token cannot be verified ends with 1012, not with 4401: the token may be
    valid, so the client must try again and not give up.
    """

    __slots__ = ("_clock", "_has_warned", "_revocations", "_settings", "_unverified", "_verifier",
                 "deadline", "principal")  # fmt: skip

    def __init__(
        self,
        verifier: TokenVerifier,
        revocations: Revocations,
        settings: GatewaySettings,
        clock: Clock,
        now: float,
    ) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._settings = settings
        self._clock = clock
        self._has_warned = False
        self._unverified: str | None = None
        """Why a token that was sent is not verified; None if there is no such token."""
        self.principal: Principal | None = None
        """None until a token was accepted."""
        self.deadline = now + settings.auth_deadline_secs
        """Loop time at which `at_deadline` is due."""

    async def verify(self, token: str) -> Principal:
        """The principal of a token for this stream; call `accept` with it.

        Raises Unauthenticated, TokenExpired or Revoked. Raises Unavailable if the token cannot
        be verified at the moment, or StreamTermination if that was the first one.
        """
        self._unverified = _NOT_ANSWERED
        try:
            principal = await self._verifier.verify(token)
            self._unverified = None
            self._revocations.check(principal)
        except Unavailable as error:
            self._unverified = error.detail
            if self.principal is None:
                raise _unavailable(error.detail) from None
            raise
        if self._remaining_secs(principal) <= 0:
            raise TokenExpired("the token has expired")
        if self.principal is not None and principal.session_id != self.principal.session_id:
            raise Unauthenticated("the token belongs to another session than this stream")
        return principal

    def accept(self, principal: Principal, now: float) -> replies.Authenticated:
        """Let the stream continue until the token expires; returns the reply."""
        self.principal = principal
        self._has_warned = False
        warning_secs = self._settings.expiry_warning_secs
        self.deadline = now + max(0.0, self._remaining_secs(principal) - warning_secs)
        return replies.Authenticated(principal.user_id, principal.expires_at)

    def at_deadline(self, now: float) -> replies.Expiring | StreamTermination:
        """The warning that the token expires soon, or the end for want of a valid token."""
        if self.principal is not None and not self._has_warned:
            self._has_warned = True
            self.deadline = now + max(0.0, self._remaining_secs(self.principal))
            return replies.Expiring(self.principal.expires_at)
        if self._unverified is not None:
            return _unavailable(self._unverified)
        if self.principal is None:
            detail = "no token was sent in time"
            return StreamTermination(CloseCode.UNAUTHENTICATED, Code.UNAUTHENTICATED, detail)
        if self._verifier.clock_fault is not None:
            return _unavailable(self._verifier.clock_fault)
        detail = "the token has expired"
        return StreamTermination(CloseCode.UNAUTHENTICATED, Code.TOKEN_EXPIRED, detail)

    def is_ended_by(self, issued_before: int | None) -> bool:
        """Whether a revocation ends the stream; it concerns tokens issued until `issued_before`.

        `issued_before` is Unix seconds; None stands for all tokens.
        """
        if self.principal is None:
            return False
        return issued_before is None or self.principal.issued_at <= issued_before

    def _remaining_secs(self, principal: Principal) -> float:
        return principal.expires_at - self._clock.now_ms() / 1_000


def _unavailable(detail: str) -> StreamTermination:
    return StreamTermination(CloseCode.RESTARTING, Code.UNAVAILABLE, detail)
