"""Authentication and rate limiting of HTTP requests."""

from typing import Final

from aiohttp import web

from services.gateway.http.rate_limit import RateLimiter, RemainingQuota
from shared.contracts.revocations import Revocations
from shared.contracts.roles import ADMIN_ROLE
from shared.errors import Forbidden, RateLimited, Unauthenticated
from shared.runtime.clock import Clock
from shared.runtime.limited_log import LimitedLog
from shared.runtime.logs import get_logger
from shared.web.addresses import client_network
from shared.web.bearer import bearer_token
from shared.web.forwarded import ForwardedHeaders
from shared.web.verifier import Principal, TokenVerifier

log = get_logger(__name__)

REMAINING_QUOTA: Final = web.RequestKey("remaining_quota", RemainingQuota)
"""The sender's remaining quota, for the response headers."""


class AccessControl:
    """Counts requests with a valid token by user, and all others by address.

    An address that has sent too many invalid tokens must wait with its valid tokens, too: to
    tell the two apart costs a signature check.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        revocations: Revocations,
        *,
        users: RateLimiter,
        addresses: RateLimiter,
        forwarded: ForwardedHeaders,
        clock: Clock,
    ) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._users = users
        self._addresses = addresses
        self._forwarded = forwarded
        self._clock = clock
        self._log = LimitedLog(log, clock)

    async def authenticate(self, request: web.Request) -> Principal:
        """The user of the request's access token, with the roles that it names.

        Raises RateLimited; Unauthenticated, TokenExpired or Revoked; Unavailable if no token
        can be checked at the moment.
        """
        address = client_network(self._forwarded.address(request))
        now = self._clock.monotonic()
        request[REMAINING_QUOTA] = quota = self._addresses.remaining(address, now)
        if quota.remaining < 1:
            raise self._limited(self._addresses, address, None, request)
        try:
            principal = await self._verifier.verify(bearer_token(request))
            self._revocations.check(principal)
        except Unauthenticated:
            self._addresses.take(address, self._clock.monotonic())
            raise
        self._take(self._users, principal.user_id, principal.user_id, request)
        return principal

    async def authenticate_admin(self, request: web.Request) -> Principal:
        """The administrator of the request's access token.

        Raises Forbidden for every other user, and what `authenticate` raises.
        """
        principal = await self.authenticate(request)
        if ADMIN_ROLE not in principal.roles:
            raise Forbidden("only administrators may do this")
        return principal

    def admit_anonymous(self, request: web.Request) -> None:
        """Count a request that needs no token. Raises RateLimited."""
        network = client_network(self._forwarded.address(request))
        self._take(self._addresses, network, None, request)

    def _take(
        self, limiter: RateLimiter, owner: str, user: str | None, request: web.Request
    ) -> None:
        now = self._clock.monotonic()
        is_admitted = limiter.take(owner, now)
        request[REMAINING_QUOTA] = limiter.remaining(owner, now)
        if not is_admitted:
            raise self._limited(limiter, owner, user, request)

    def _limited(
        self, limiter: RateLimiter, owner: str, user: str | None, request: web.Request
    ) -> RateLimited:
        error = limiter.error(owner, self._clock.monotonic())
        address = self._forwarded.address(request)
        self._log.info("rate limit hit", address=address, user=user, cause=error.detail)
        return error
