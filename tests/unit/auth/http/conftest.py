"""Fixtures of the unit tests of auth's HTTP interface."""

from pathlib import Path

import pytest

from services.auth.core.entities import User
from services.auth.core.refresh_tokens import new_family
from services.auth.core.sessions import SessionTokens
from services.auth.http.authenticator import Authenticator
from services.auth.signing.issuer import JwtIssuer
from services.auth.signing.keyring import load_keyring
from services.auth.signing.reloading_keyring import ReloadingKeyring
from shared.runtime.clock import SystemClock
from shared.runtime.settings import TokenSettings
from shared.web.verifier import TokenVerifier
from tests.unit.auth.fakes import FakeClock, MemorySessions, MemoryUsers, session_at


@pytest.fixture
def clock() -> FakeClock:
    """Stands still at the present, by which the token verifier judges tokens."""
    return FakeClock(SystemClock().now_ms())


@pytest.fixture
def keyring(tmp_path: Path, clock: FakeClock) -> ReloadingKeyring:
    keyring = load_keyring(tmp_path, clock, publish_secs=0, create_missing=True)
    return ReloadingKeyring(keyring, tmp_path, clock, reload_secs=1)


@pytest.fixture
def authenticator(
    keyring: ReloadingKeyring, users: MemoryUsers, sessions: MemorySessions, clock: FakeClock
) -> Authenticator:
    # The verifier's clock stands still, so that only sessions expire when a test advances time.
    verifier = TokenVerifier(keyring, TokenSettings(), FakeClock(clock.epoch_ms))
    return Authenticator(verifier, users, sessions, clock)


@pytest.fixture
async def tokens(
    keyring: ReloadingKeyring, users: MemoryUsers, sessions: MemorySessions, clock: FakeClock
) -> SessionTokens:
    """The tokens of a session of user `u1`, which is stored."""
    user = User("u1", "ann@example.com", "v1$hash", clock.now())
    session = session_at(clock)
    family = new_family(session.session_id)
    await users.add(user)
    await sessions.add(session, family)
    issuer = JwtIssuer(keyring.signing, TokenSettings(), clock, ttl_secs=600)
    return SessionTokens(user, session, issuer.issue(session, []), family.token)
