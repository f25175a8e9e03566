"""Who sends a request, and whether it may be carried out now."""

from typing import Final

from aiohttp import web

from services.gateway.http.rate_limit import Allowance, RateLimiter
from shared.contracts.revocations import Revocations
from shared.errors import Revoked, Unauthenticated
from shared.runtime.clock import Clock
from shared.web.addresses import client_network
from shared.web.bearer import bearer_token
from shared.web.forwarded import ForwardedHeaders
from shared.web.verifier import Principal, TokenVerifier

ALLOWANCE: Final = web.RequestKey("allowance", Allowance)
"""Where the sender stands; told in the headers of the answer."""


class AccessControl:
    """Users are counted by themselves, and all that shows no good token by its address.

    An address that has sent too many bad tokens must wait with its good ones, too: to tell
    them apart costs a signature check.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        revocations: Revocations,
        *,
        users: RateLimiter,
        addresses: RateLimiter,
        outside: ForwardedHeaders,
        clock: Clock,
    ) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._users = users
        self._addresses = addresses
        self._outside = outside
        self._clock = clock

    async def user(self, request: web.Request) -> Principal:
        """The user whose good token the request shows.

        Raises RateLimited, Unauthenticated (or what it is in particular), and Unavailable if
        no token can be checked.
        """
        address = client_network(self._outside.address(request))
        now = self._clock.monotonic()
        request[ALLOWANCE] = standing = self._addresses.allowance(address, now)
        if standing.left < 1:
            raise self._addresses.refusal(address, now)
        try:
            who = await self._verifier.verify(bearer_token(request))
            if self._revocations.is_revoked(who):
                raise Revoked("the session was ended")
        except Unauthenticated:
            self._addresses.spend(address, self._clock.monotonic())
            raise
        now = self._clock.monotonic()
        is_let_in = self._users.spend(who.user_id, now)
        request[ALLOWANCE] = self._users.allowance(who.user_id, now)
        if not is_let_in:
            raise self._users.refusal(who.user_id, now)
        return who

    def anybody(self, request: web.Request) -> None:
        """Count a request that needs no token. Raises RateLimited."""
        address = client_network(self._outside.address(request))
        now = self._clock.monotonic()
        is_let_in = self._addresses.spend(address, now)
        request[ALLOWANCE] = self._addresses.allowance(address, now)
        if not is_let_in:
            raise self._addresses.refusal(address, now)
