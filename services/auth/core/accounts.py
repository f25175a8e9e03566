"""The use cases of accounts: sign up, log in, reauthenticate and change the password.

A password stays a `SecretStr` until it is hashed, so that no log and no traceback shows it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import uuid4

from pydantic import SecretStr

from services.auth.core.attempt_limiter import AttemptLimiter
from services.auth.core.device_tokens import DeviceTokens
from services.auth.core.entities import Caller, Event, RequestSource, User
from services.auth.core.keyed_hash import KeyedHash
from services.auth.core.password_policy import PasswordPolicy
from services.auth.core.ports import (
    AuditLog,
    PasswordHasher,
    RevocationNotifier,
    SessionStore,
    TerminationStore,
    UserStore,
)
from services.auth.core.sessions import SessionService, SessionTokens
from shared.errors import (
    AccountDisabled,
    BadCredentials,
    InvalidField,
    Overloaded,
    Revoked,
    TooManyAttempts,
)
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock
from shared.runtime.limited_log import LimitedLog
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_NO_MATCH: Final = "e-mail and password do not match"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a login."""

    email: str
    """Normalised; see `services.auth.http.schemas.Email`."""
    password: SecretStr
    device_token: str | None = field(default=None, repr=False)
    """From an earlier login of this device; None if it has none."""


class AccountService:
    """The use cases of accounts.

    Every method may raise TooManyAttempts, Overloaded or Unavailable.
    """

    def __init__(
        self,
        *,
        users: UserStore,
        sessions: SessionStore,
        terminations: TerminationStore,
        session_service: SessionService,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        limiter: AttemptLimiter,
        device_tokens: DeviceTokens,
        keyed_hash: KeyedHash,
        audit: AuditLog,
        revocations: RevocationNotifier,
        clock: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._terminations = terminations
        self._session_service = session_service
        self._hasher = hasher
        self._policy = policy
        self._limiter = limiter
        self._device_tokens = device_tokens
        self._keyed_hash = keyed_hash
        self._audit = audit
        self._revocations = revocations
        self._clock = clock
        self._log = LimitedLog(log, clock)

    async def signup(self, email: str, password: SecretStr, source: RequestSource) -> User:
        """Create an account.

        Raises InvalidField or EmailTaken. After Unavailable the account may exist; signing
        up again then raises EmailTaken, and a login succeeds.
        """
        self._hasher.check_capacity()
        now = self._now()
        with self._logging_limits(email, source):
            await self._limiter.admit_signup(source.address, now)
        # The password is judged after the limit and off the event loop: to estimate its guesses
        # costs up to 60 ms of a core. It is hashed before the address is looked up, so that the
        # time is the same whether the address is taken or not. The database's unique index decides
        # a race of two sign-ups.
        password_hash = await self._hasher.hash(
            password, check=lambda: self._policy.check(password, email)
        )
        user = User(user_id=uuid4().hex, email=email, password_hash=password_hash, created_at=now)
        await self._users.add(user)
        await self._audit.add(Event.SIGNUP, source, now, user_id=user.user_id)
        return user

    async def login(
        self, credentials: Credentials, source: RequestSource, *, by_cookie: bool
    ) -> tuple[SessionTokens, str]:
        """Start a session; returns its tokens and the device token for the next login.

        Raises BadCredentials, with the same text and after the same time for an unknown
        address as for a wrong password. Raises AccountDisabled only if the password is right.
        """
        # This check comes first: under overload a refused login must cost no database call.
        self._hasher.check_capacity()
        account_hash = self._keyed_hash.digest("account", credentials.email)
        device_id = self._device_tokens.verify(account_hash, credentials.device_token)
        with self._logging_limits(credentials.email, source):
            await self._limiter.admit_password(account_hash, device_id, source.address, self._now())
        user = await self._users.find_by_email(credentials.email)
        stored = None if user is None else user.password_hash
        matches = await self._hasher.matches(credentials.password, stored)
        if user is None or not matches:
            await self._record_refusal(Event.LOGIN_FAILED, user, credentials.email, source)
            raise BadCredentials(_NO_MATCH)
        await self._limiter.password_verified(account_hash, device_id, source.address)
        if user.disabled_at is not None:
            await self._record_refusal(Event.LOGIN_DISABLED, user, credentials.email, source)
            raise AccountDisabled("an administrator has disabled this account")
        await self._rehash_if_outdated(user, credentials.password)
        tokens = await self._session_service.start(user, source, by_cookie=by_cookie)
        await self._audit.add(
            Event.LOGIN,
            source,
            self._now(),
            user_id=user.user_id,
            session_id=tokens.session.session_id,
        )
        if device_id is not None and credentials.device_token is not None:
            return tokens, credentials.device_token
        return tokens, self._device_tokens.issue(account_hash)

    async def reauthenticate(self, caller: Caller, password: SecretStr) -> None:
        """Verify the caller's password and store the time. Raises BadCredentials."""
        await self._check_password(caller, password)
        await self._sessions.record_authentication(caller.session, self._now())
        await self._record(Event.REAUTHENTICATED, caller)

    async def change_password(self, caller: Caller, current: SecretStr, new: SecretStr) -> int:
        """Replace the password and end all other sessions; returns their number.

        Raises InvalidField or BadCredentials. Raises Revoked if the password was changed
        since the caller was authenticated.
        """
        await self._check_password(caller, current)
        if new.get_secret_value() == current.get_secret_value():
            raise InvalidField(
                "new_password: must differ from the current one", field="new_password"
            )
        password_hash = await self._hasher.hash(
            new, check=lambda: self._policy.check(new, caller.user.email, field="new_password")
        )
        ended = await self._terminations.change_password(
            caller.user,
            password_hash,
            now=self._now(),
            except_session_id=caller.session.session_id,
        )
        if ended is None:
            raise Revoked("the password was changed meanwhile; log in again")
        self._revocations.notify()
        await self._record(Event.PASSWORD_CHANGED, caller)
        return ended

    async def _check_password(self, caller: Caller, password: SecretStr) -> None:
        """Raises BadCredentials. The attempts of a session are counted as those of a device."""
        user, device_id, address = caller.user, caller.session.session_id, caller.source.address
        account_hash = self._keyed_hash.digest("account", user.email)
        with self._logging_limits(user.email, caller.source):
            await self._limiter.admit_password(account_hash, device_id, address, self._now())
        if not await self._hasher.matches(password, user.password_hash):
            await self._record(Event.REAUTHENTICATION_FAILED, caller)
            raise BadCredentials("the password is wrong")
        await self._limiter.password_verified(account_hash, device_id, address)

    @contextmanager
    def _logging_limits(self, email: str, source: RequestSource) -> Iterator[None]:
        try:
            yield
        except TooManyAttempts as error:
            email_hash = self._keyed_hash.digest("email", email)
            self._log.info(
                "rate limit hit", address=source.address, email=email_hash, cause=error.detail
            )
            raise

    async def _rehash_if_outdated(self, user: User, password: SecretStr) -> None:
        """Replace a stored hash of another cost or scheme, unless the hasher is overloaded."""
        if not self._hasher.is_outdated(user.password_hash):
            return
        try:
            password_hash = await self._hasher.hash(password)
        except Overloaded:
            return  # the next login tries again
        await self._users.rehash(user, password_hash)

    async def _record_refusal(
        self, event: Event, user: User | None, email: str, source: RequestSource
    ) -> None:
        # One write in either case, so that the time does not show whether the account exists.
        user_id = None if user is None else user.user_id
        email_hash = self._keyed_hash.digest("email", email) if user is None else None
        await self._audit.add(event, source, self._now(), user_id=user_id, email=email_hash)

    async def _record(self, event: Event, caller: Caller) -> None:
        await self._audit.add(
            event,
            caller.source,
            self._now(),
            user_id=caller.user.user_id,
            session_id=caller.session.session_id,
        )

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
