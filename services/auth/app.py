"""The composition root of auth: the only module that names concrete classes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.auth.core.accounts import AccountService
from services.auth.core.admin import AdminService
from services.auth.core.attempt_limiter import AttemptLimiter, AttemptLimits
from services.auth.core.device_tokens import DeviceTokens
from services.auth.core.entities import AttemptLimit
from services.auth.core.keyed_hash import KeyedHash
from services.auth.core.password_policy import PasswordPolicy
from services.auth.core.ports import PasswordHasher, RevocationNotifier, TokenIssuer
from services.auth.core.sessions import SessionPolicy, SessionService
from services.auth.core.watchlists import WatchlistService
from services.auth.http.authenticator import Authenticator
from services.auth.http.handlers.accounts import AccountHandlers
from services.auth.http.handlers.admin import AdminHandlers
from services.auth.http.handlers.keys import KeyHandlers
from services.auth.http.handlers.sessions import SessionHandlers
from services.auth.http.handlers.watchlists import WatchlistHandlers
from services.auth.http.request_context import RequestContext
from services.auth.http.routes import Route, application
from services.auth.password_hasher import open_hasher
from services.auth.revocation_publisher import RevocationPublisher
from services.auth.settings import MAX_ACCESS_TTL_SECS, AuthSettings
from services.auth.signing.issuer import JwtIssuer
from services.auth.signing.keyring import load_keyring
from services.auth.signing.reloading_keyring import ReloadingKeyring
from services.auth.stores.audit import MongoAudit
from services.auth.stores.revocations import MongoRevocations
from services.auth.stores.sessions import MongoSessions
from services.auth.stores.terminations import MongoTerminations
from services.auth.stores.throttles import MongoThrottle
from services.auth.stores.users import MongoUsers
from services.auth.stores.watchlists import MongoWatchlists
from shared.bus.connection import connect_bus
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.departure import departure_of
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.mongo_clock import MongoClock
from shared.runtime.service import Component
from shared.runtime.site import serve
from shared.web.forwarded import ForwardedHeaders
from shared.web.verifier import LEEWAY_SECS, TokenVerifier

log = get_logger(__name__)

# The clocks of replicas and gateways may differ by this much.
_MAX_CLOCK_SKEW_SECS: Final = 30
# How long a verifier may accept a token that was issued at this moment, under any setting: tokens
# that were issued before their lifetime was lowered are still valid.
_REVOCATION_RETENTION_SECS: Final = MAX_ACCESS_TTL_SECS + LEEWAY_SECS + _MAX_CLOCK_SKEW_SECS


@asynccontextmanager
async def build(settings: AuthSettings, readiness: Readiness) -> AsyncIterator[Sequence[Component]]:
    """Open the resources, start the HTTP server and yield the components to run.

    Waits until the database answers. Raises ConfigError if the keys or the port are not
    usable, PyMongoError if the database refuses the collections.
    """
    async with (
        assemble(settings, readiness) as (app, components),
        serve(
            app,
            settings.host,
            settings.port,
            departure=departure_of(settings.runtime),
            settings=("TRADEDAD_AUTH_HOST", "TRADEDAD_AUTH_PORT"),
        ) as port,
    ):
        log.info("auth is listening", host=settings.host, port=port)
        yield components


@asynccontextmanager
async def assemble(
    settings: AuthSettings, readiness: Readiness
) -> AsyncIterator[tuple[web.Application, Sequence[Component]]]:
    """Yield the application, without a port, and the components; raises as `build` does."""
    clock = SystemClock()
    keyring = await _open_keyring(settings, clock)
    async with (
        connect_mongo(settings.mongo, readiness) as mongo,
        open_hasher(
            settings.pepper,
            cost=settings.bcrypt_cost,
            workers=settings.hash_workers,
            queue=settings.hash_queue,
            niceness=settings.hash_niceness,
        ) as hasher,
    ):
        stores = await open_stores(settings, mongo)
        publisher = _revocation_publisher(settings, stores, clock)
        issuer = JwtIssuer(
            keyring.signing, settings.tokens, clock, ttl_secs=settings.access_ttl_secs
        )
        use_cases = _use_cases(settings, stores, hasher, issuer, publisher, clock)
        verifier = TokenVerifier(keyring, settings.tokens, clock)
        authenticator = Authenticator(verifier, stores.users, stores.sessions, clock)
        forwarded = ForwardedHeaders(settings.trusted_proxies)
        context = RequestContext(authenticator, forwarded, settings.allowed_origins)
        routes = [*_routes(use_cases, context, clock), *KeyHandlers(keyring).routes()]
        mongo_clock = MongoClock(mongo, clock, readiness, settings.runtime.max_clock_skew_secs)
        yield application(routes, readiness), [mongo, mongo_clock, keyring, publisher]


@dataclass(frozen=True, slots=True)
class Stores:
    """All stores of auth in MongoDB."""

    users: MongoUsers
    sessions: MongoSessions
    terminations: MongoTerminations
    throttle: MongoThrottle
    audit: MongoAudit
    revocations: MongoRevocations
    watchlists: MongoWatchlists


async def open_stores(settings: AuthSettings, mongo: Mongo) -> Stores:
    """Return the stores, with their collections created; raises PyMongoError."""
    retention_secs = _REVOCATION_RETENTION_SECS
    stores = Stores(
        users=MongoUsers(mongo.db),
        sessions=MongoSessions(
            mongo.db, grace_secs=settings.refresh_grace_secs, retention_secs=retention_secs
        ),
        terminations=MongoTerminations(mongo, retention_secs=retention_secs),
        throttle=MongoThrottle(mongo.db),
        audit=MongoAudit(mongo.db, SystemClock(), retention_days=settings.audit_days),
        revocations=MongoRevocations(mongo.db, retention_secs=retention_secs),
        watchlists=MongoWatchlists(mongo.db),
    )
    for store in (
        stores.users, stores.sessions, stores.throttle, stores.audit, stores.watchlists,
    ):  # fmt: skip
        await store.prepare()
    return stores


@dataclass(frozen=True, slots=True)
class _UseCases:
    accounts: AccountService
    sessions: SessionService
    admin: AdminService
    watchlists: WatchlistService


def _use_cases(
    settings: AuthSettings,
    stores: Stores,
    hasher: PasswordHasher,
    issuer: TokenIssuer,
    revocations: RevocationNotifier,
    clock: Clock,
) -> _UseCases:
    session_service = _session_service(settings, stores, issuer, revocations, clock)
    keyed_hash = KeyedHash(settings.pepper)
    accounts = AccountService(
        users=stores.users,
        sessions=stores.sessions,
        terminations=stores.terminations,
        session_service=session_service,
        hasher=hasher,
        policy=PasswordPolicy(settings.password_min_chars, settings.password_max_chars),
        limiter=AttemptLimiter(stores.throttle, _attempt_limits(settings)),
        device_tokens=DeviceTokens(keyed_hash),
        keyed_hash=keyed_hash,
        audit=stores.audit,
        revocations=revocations,
        clock=clock,
    )
    admin = AdminService(
        users=stores.users,
        terminations=stores.terminations,
        session_service=session_service,
        audit=stores.audit,
        revocations=revocations,
        clock=clock,
    )
    return _UseCases(accounts, session_service, admin, WatchlistService(stores.watchlists))


def _session_service(
    settings: AuthSettings,
    stores: Stores,
    issuer: TokenIssuer,
    revocations: RevocationNotifier,
    clock: Clock,
) -> SessionService:
    policy = SessionPolicy(
        idle_timeout_secs=settings.session_idle_secs,
        absolute_timeout_secs=settings.session_ttl_secs,
        recent_authentication_secs=settings.fresh_secs,
        max_sessions=settings.max_sessions_per_user,
    )
    return SessionService(
        users=stores.users,
        sessions=stores.sessions,
        terminations=stores.terminations,
        issuer=issuer,
        audit=stores.audit,
        revocations=revocations,
        policy=policy,
        clock=clock,
    )


def _routes(use_cases: _UseCases, context: RequestContext, clock: Clock) -> list[Route]:
    return [
        *AccountHandlers(use_cases.accounts, context, clock).routes(),
        *SessionHandlers(use_cases.sessions, context, clock).routes(),
        *AdminHandlers(use_cases.admin, context).routes(),
        *WatchlistHandlers(use_cases.watchlists, context).routes(),
    ]


async def _open_keyring(settings: AuthSettings, clock: Clock) -> ReloadingKeyring:
    keyring = await asyncio.to_thread(
        load_keyring,
        settings.keys_dir,
        clock,
        publish_secs=settings.key_publish_secs,
        create_missing=settings.create_missing_key,
    )
    return ReloadingKeyring(keyring, settings.keys_dir, clock, reload_secs=settings.key_reload_secs)


def _revocation_publisher(
    settings: AuthSettings, stores: Stores, clock: Clock
) -> RevocationPublisher:
    # A readiness of its own, which nothing reads: without NATS, logins continue and
    # revocations wait in MongoDB.
    ignored = Readiness("auth")
    return RevocationPublisher(
        lambda: connect_bus(
            settings.nats,
            user="auth",
            password=settings.nats_password.get_secret_value(),
            readiness=ignored,
        ),
        stores.revocations,
        clock,
        retention_secs=_REVOCATION_RETENTION_SECS,
    )


def _attempt_limits(settings: AuthSettings) -> AttemptLimits:
    def limit(free_attempts: int) -> AttemptLimit:
        return AttemptLimit(
            free_attempts=free_attempts,
            base_delay_secs=settings.delay_base_secs,
            max_delay_secs=settings.delay_cap_secs,
            reset_after_secs=settings.forget_secs,
        )

    return AttemptLimits(
        account=limit(settings.free_account_attempts),
        address=limit(settings.free_address_attempts),
        signup=limit(settings.free_signups),
    )
