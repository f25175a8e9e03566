"""Puts auth together: the only module that names concrete classes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from services.auth.accounts import Accounts
from services.auth.issuer import Issuer
from services.auth.keyring import load_keyring
from services.auth.own_keys import OwnKeys
from services.auth.passwords import open_hasher
from services.auth.policy import PasswordPolicy
from services.auth.routes import Endpoints, application
from services.auth.sessions import MongoSessions
from services.auth.settings import AuthSettings
from services.auth.users import MongoUsers
from shared.clock import SystemClock
from shared.health import Readiness, serve
from shared.logs import get_logger
from shared.mongo import Mongo, connect_mongo
from shared.runtime import Part
from shared.verifier import TokenVerifier

log = get_logger(__name__)


@asynccontextmanager
async def build(settings: AuthSettings, readiness: Readiness) -> AsyncIterator[Sequence[Part]]:
    """Open everything and serve; yields the parts that must keep running.

    Raises ConfigError if the keys or the port are not usable, PyMongoError if the
    database refuses our collections. Waits for as long as there is no database.
    """
    async with (
        assemble(settings, readiness) as (app, mongo),
        serve(app, settings.host, settings.port) as port,
    ):
        log.info("auth is open", host=settings.host, port=port)
        yield [mongo]


@asynccontextmanager
async def assemble(
    settings: AuthSettings, readiness: Readiness
) -> AsyncIterator[tuple[web.Application, Mongo]]:
    """Everything but the open port; raises as `build` does."""
    clock = SystemClock()
    keyring = await asyncio.to_thread(
        load_keyring, settings.keys_dir, clock, create_missing=settings.create_missing_key
    )
    async with (
        connect_mongo(settings.mongo, readiness) as mongo,
        open_hasher(
            settings.pepper,
            cost=settings.bcrypt_cost,
            workers=settings.hash_workers,
            queue=settings.hash_queue,
        ) as hasher,
    ):
        users = MongoUsers(mongo.db)
        sessions = MongoSessions(mongo.db)
        await users.prepare()
        await sessions.prepare()
        accounts = Accounts(
            users=users,
            sessions=sessions,
            hasher=hasher,
            issuer=Issuer(keyring, settings.tokens, clock, ttl_secs=settings.access_ttl_secs),
            policy=PasswordPolicy(settings.password_min_chars, settings.password_max_chars),
            clock=clock,
            session_ttl_secs=settings.session_ttl_secs,
        )
        verifier = TokenVerifier(OwnKeys(keyring), settings.tokens)
        yield application(Endpoints(accounts, verifier, keyring.jwks()), readiness), mongo
