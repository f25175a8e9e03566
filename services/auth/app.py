"""Puts auth together: the only module that names concrete classes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from services.auth.announcer import Announcer
from services.auth.core.accounts import Accounts
from services.auth.core.admin import Admin
from services.auth.core.attempts import AttemptLimits, Attempts
from services.auth.core.devices import Devices
from services.auth.core.logins import Lifetimes, Logins
from services.auth.core.policy import PasswordPolicy
from services.auth.core.pseudonyms import Pseudonyms
from services.auth.core.records import AttemptLimit
from services.auth.http.authenticator import Authenticator
from services.auth.http.routes import Endpoints, application
from services.auth.password_hasher import open_hasher
from services.auth.settings import AuthSettings
from services.auth.signing.issuer import Issuer
from services.auth.signing.key_watch import KeyWatcher
from services.auth.signing.keyring import load_keyring
from services.auth.stores.audit import MongoAudit
from services.auth.stores.revocations import MongoRevocations
from services.auth.stores.sessions import MongoSessions
from services.auth.stores.terminations import MongoTerminations
from services.auth.stores.throttles import MongoThrottle
from services.auth.stores.users import MongoUsers
from shared.bus.connection import connect_bus
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.service import Component
from shared.runtime.site import serve
from shared.web.forwarded import ForwardedHeaders
from shared.web.verifier import LEEWAY_SECS, TokenVerifier

log = get_logger(__name__)

# Replicas' and gateways' clocks may differ by as much.
_CLOCK_DIFFERENCE_SECS = 30


@asynccontextmanager
async def build(settings: AuthSettings, readiness: Readiness) -> AsyncIterator[Sequence[Component]]:
    """Open everything and serve; yields the components that must keep running.

    Raises ConfigError if the keys or the port are not usable, PyMongoError if the
    database refuses our collections. Waits for as long as there is no database.
    """
    async with (
        assemble(settings, readiness) as (app, components),
        serve(app, settings.host, settings.port) as port,
    ):
        log.info("auth is open", host=settings.host, port=port)
        yield components


@asynccontextmanager
async def assemble(
    settings: AuthSettings, readiness: Readiness
) -> AsyncIterator[tuple[web.Application, Sequence[Component]]]:
    """Everything but the open port; raises as `build` does."""
    clock = SystemClock()
    keyring = await asyncio.to_thread(
        load_keyring,
        settings.keys_dir,
        clock,
        publish_secs=settings.key_publish_secs,
        create_missing=settings.create_missing_key,
    )
    keys = KeyWatcher(keyring, settings.keys_dir, clock, reload_secs=settings.key_reload_secs)
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
        announcer = _announcer(settings, stores.revocations, clock)
        logins = Logins(
            users=stores.users,
            sessions=stores.sessions,
            endings=stores.endings,
            issuer=Issuer(keys.signing, settings.tokens, clock, ttl_secs=settings.access_ttl_secs),
            audit=stores.audit,
            announce=announcer.nudge,
            lifetimes=Lifetimes(
                idle_secs=settings.session_idle_secs,
                longest_secs=settings.session_ttl_secs,
                fresh_secs=settings.fresh_secs,
                most_sessions=settings.max_sessions_per_user,
            ),
            clock=clock,
        )
        pseudonyms = Pseudonyms(settings.pepper)
        accounts = Accounts(
            users=stores.users,
            sessions=stores.sessions,
            endings=stores.endings,
            logins=logins,
            hasher=hasher,
            policy=PasswordPolicy(settings.password_min_chars, settings.password_max_chars),
            attempts=Attempts(stores.throttle, _limits(settings)),
            devices=Devices(pseudonyms),
            pseudonyms=pseudonyms,
            audit=stores.audit,
            announce=announcer.nudge,
            clock=clock,
        )
        admin = Admin(
            users=stores.users,
            endings=stores.endings,
            logins=logins,
            audit=stores.audit,
            announce=announcer.nudge,
            clock=clock,
        )
        verifier = TokenVerifier(keys, settings.tokens)
        endpoints = Endpoints(
            accounts=accounts,
            logins=logins,
            admin=admin,
            access=Authenticator(verifier, stores.users, stores.sessions, clock),
            keys=keys,
            forwarded=ForwardedHeaders(settings.trusted_proxies),
            allowed_origins=settings.allowed_origins,
            now_ms=clock.now_ms,
        )
        yield application(endpoints, readiness), [mongo, keys, announcer]


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that auth keeps in MongoDB."""

    users: MongoUsers
    sessions: MongoSessions
    endings: MongoTerminations
    throttle: MongoThrottle
    audit: MongoAudit
    revocations: MongoRevocations


async def open_stores(settings: AuthSettings, mongo: Mongo) -> Stores:
    """The stores, with their collections made; raises PyMongoError."""
    remember_secs = _remember_secs(settings)
    stores = Stores(
        users=MongoUsers(mongo.db),
        sessions=MongoSessions(
            mongo.db, grace_secs=settings.refresh_grace_secs, remember_secs=remember_secs
        ),
        endings=MongoTerminations(mongo, remember_secs=remember_secs),
        throttle=MongoThrottle(mongo.db),
        audit=MongoAudit(mongo.db, keep_days=settings.audit_days),
        revocations=MongoRevocations(mongo.db, remember_secs=remember_secs),
    )
    for store in (stores.users, stores.sessions, stores.throttle, stores.audit):
        await store.prepare()
    return stores


def _remember_secs(settings: AuthSettings) -> float:
    """How long a token that was issued a moment ago can be accepted by anybody."""
    return settings.access_ttl_secs + LEEWAY_SECS + _CLOCK_DIFFERENCE_SECS


def _announcer(settings: AuthSettings, recorded: MongoRevocations, clock: Clock) -> Announcer:
    # Not our readiness: without NATS logins go on, and what is to be told waits in MongoDB.
    aside = Readiness("auth")
    return Announcer(
        lambda: connect_bus(
            settings.nats,
            user="auth",
            password=settings.nats_password.get_secret_value(),
            readiness=aside,
        ),
        recorded,
        clock,
        remember_secs=_remember_secs(settings),
    )


def _limits(settings: AuthSettings) -> AttemptLimits:
    def limit(free: int) -> AttemptLimit:
        return AttemptLimit(
            free, settings.delay_base_secs, settings.delay_cap_secs, settings.forget_secs
        )

    return AttemptLimits(
        account=limit(settings.free_account_attempts),
        address=limit(settings.free_address_attempts),
        signup=limit(settings.free_signups),
    )
