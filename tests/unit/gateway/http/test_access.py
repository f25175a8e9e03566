from typing import Any

import pytest
from aiohttp import hdrs
from aiohttp.test_utils import make_mocked_request
from jwt import PyJWK

from services.gateway.http.access import AccessControl
from services.gateway.http.rate_limit import RateLimiter
from shared.contracts.revocations import Revocations
from shared.contracts.roles import ADMIN_ROLE
from shared.errors import Forbidden, Unauthenticated, Unavailable
from shared.runtime.clock import SystemClock
from shared.web.forwarded import ForwardedHeaders
from shared.web.verifier import Principal, TokenVerifier
from tests.support.issuer import TokenIssuer


class Keys:
    """The issuer's key."""

    def __init__(self, issuer: TokenIssuer) -> None:
        (self._key,) = issuer.jwks()["keys"]

    async def find(self, kid: str) -> PyJWK:
        return PyJWK(self._key)


@pytest.fixture
def issuer() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture
def access(issuer: TokenIssuer) -> AccessControl:
    clock = SystemClock()
    return AccessControl(
        TokenVerifier(Keys(issuer), issuer.settings, clock),
        Revocations(are_read=True),
        users=RateLimiter("user", 10.0, 10),
        addresses=RateLimiter("address", 10.0, 10),
        forwarded=ForwardedHeaders([]),
        clock=clock,
    )


async def admin_of(access: AccessControl, issuer: TokenIssuer, **claims: Any) -> Principal:
    headers = {hdrs.AUTHORIZATION: f"Bearer {issuer.token(**claims)}"}
    return await access.authenticate_admin(make_mocked_request("GET", "/", headers))


async def test_an_administrator_is_known_by_the_role_in_the_token(
    access: AccessControl, issuer: TokenIssuer
) -> None:
    principal = await admin_of(access, issuer, sub="root", roles=[ADMIN_ROLE])
    assert (principal.user_id, principal.roles) == ("root", frozenset([ADMIN_ROLE]))


@pytest.mark.parametrize("roles", [[], ["ADMIN"], ["administrator"], ["user"]])
async def test_every_other_user_is_refused(
    access: AccessControl, issuer: TokenIssuer, roles: list[str]
) -> None:
    with pytest.raises(Forbidden):
        await admin_of(access, issuer, roles=roles)


async def test_a_token_of_another_issuer_makes_no_administrator(access: AccessControl) -> None:
    with pytest.raises(Unauthenticated):
        await admin_of(access, TokenIssuer(), roles=[ADMIN_ROLE])


async def test_no_token_is_accepted_before_ended_sessions_are_known(issuer: TokenIssuer) -> None:
    revocations, clock = Revocations(), SystemClock()
    access = AccessControl(
        TokenVerifier(Keys(issuer), issuer.settings, clock),
        revocations,
        users=RateLimiter("user", 10.0, 10),
        addresses=RateLimiter("address", 10.0, 10),
        forwarded=ForwardedHeaders([]),
        clock=clock,
    )
    with pytest.raises(Unavailable):
        await admin_of(access, issuer, roles=[ADMIN_ROLE])
    revocations.are_read = True
    await admin_of(access, issuer, roles=[ADMIN_ROLE])
