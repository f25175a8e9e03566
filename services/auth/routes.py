"""The HTTP side of auth: requests in, answers out."""

import json
import unicodedata
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, SecretStr

from services.auth import metrics
from services.auth.accounts import Accounts, User
from shared.errors import Unauthenticated
from shared.health import Readiness, health_routes
from shared.problems import problems, read_body
from shared.verifier import TokenVerifier

MAX_BODY_BYTES: Final = 16 * 1024
_JWKS_HEADERS: Final = {"Cache-Control": "public, max-age=300"}
# RFC 6749, 5.1: an answer with a token in it is kept by nobody on the way.
_PRIVATE_HEADERS: Final = {"Cache-Control": "no-store"}


def _one_spelling(email: str) -> str:
    # Lower-casing can leave what is no longer in composed form.
    return unicodedata.normalize("NFC", email.lower())


Email = Annotated[EmailStr, AfterValidator(_one_spelling)]
"""An e-mail address in the spelling that is unique among accounts.

The syntax is checked, the domain never looked up. The whole address is lower-cased: the
standard lets a server tell `Ann@` from `ann@`, none does, and people type both.
"""


class Credentials(BaseModel):
    """The body of sign-up and of login; any other field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: Email
    password: SecretStr


class AccountBody(BaseModel):
    """An account, as its owner sees it."""

    user_id: str
    email: str
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> "AccountBody":
        return cls(user_id=user.user_id, email=user.email, created_at=user.created_at)


class LoginBody(BaseModel):
    """The answer to a login; `expires_in` is in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user_id: str
    session_id: str


class Endpoints:
    """Every path of the auth service, and what answers it."""

    def __init__(self, accounts: Accounts, verifier: TokenVerifier, jwks: dict[str, Any]) -> None:
        self._accounts = accounts
        self._verifier = verifier
        self._jwks = json.dumps(jwks)

    def table(self) -> list[web.RouteDef]:
        """All endpoints on one page."""
        return [
            web.post("/auth/signup", self.signup),
            web.post("/auth/login", self.login),
            web.get("/auth/me", self.me),
            web.get("/.well-known/jwks.json", self.jwks),
        ]

    async def signup(self, request: web.Request) -> web.Response:
        """201 and the account; or invalid_field, email_taken, overloaded, unavailable."""
        with metrics.outcome(metrics.SIGNUPS):
            body = await read_body(request, Credentials)
            user = await self._accounts.signup(body.email, body.password)
        return _answer(AccountBody.of(user), status=201)

    async def login(self, request: web.Request) -> web.Response:
        """200 and a token; or invalid_field, bad_credentials, overloaded, unavailable."""
        with metrics.outcome(metrics.LOGINS):
            body = await read_body(request, Credentials)
            login = await self._accounts.login(body.email, body.password)
        return _answer(
            LoginBody(
                access_token=login.access.token,
                expires_in=login.access.expires_in_secs,
                user_id=login.user.user_id,
                session_id=login.session.session_id,
            )
        )

    async def me(self, request: web.Request) -> web.Response:
        """200 and the account of the token; or unauthenticated, token_expired, unavailable."""
        principal = await self._verifier.verify(_bearer(request))
        return _answer(AccountBody.of(await self._accounts.account(principal.user_id)))

    async def jwks(self, _: web.Request) -> web.Response:
        """200 and the public keys."""
        return web.json_response(text=self._jwks, headers=_JWKS_HEADERS)


def application(endpoints: Endpoints, readiness: Readiness) -> web.Application:
    """The whole HTTP door: endpoints, health, error answers and the limit on bodies."""
    app = web.Application(middlewares=[problems], client_max_size=MAX_BODY_BYTES)
    app.add_routes([*endpoints.table(), *health_routes(readiness)])
    return app


def _answer(body: BaseModel, *, status: int = 200) -> web.Response:
    return web.json_response(text=body.model_dump_json(), status=status, headers=_PRIVATE_HEADERS)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("send the access token as `Authorization: Bearer <token>`")
    return token.strip()
