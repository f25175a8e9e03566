"""What auth does for people: sign up, log in, give the password again, change it.

Stores and hasher are protocols here, so that these rules can be read and tested without a
database, a socket or a real hash. A password stays a `SecretStr` up to the hash, so that
no log and no traceback can show it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

from pydantic import SecretStr

from services.auth.core.attempts import Attempts
from services.auth.core.devices import Devices
from services.auth.core.logins import Announce, LoggedIn, Logins
from services.auth.core.policy import PasswordPolicy
from services.auth.core.pseudonyms import Pseudonyms
from services.auth.core.records import (
    AuditLog,
    Caller,
    Client,
    Event,
    SessionStore,
    TerminationStore,
    User,
    UserStore,
)
from shared.errors import AccountDisabled, BadCredentials, InvalidField, Overloaded, Revoked
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock

_NO_MATCH: Final = "e-mail and password do not match"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody shows at a login."""

    email: str
    """In the one spelling that is unique; see bodies.Email."""
    password: SecretStr
    device_token: str | None = field(default=None, repr=False)


class Hasher(Protocol):
    """Slow password hashes; every method may raise Overloaded."""

    def check_room(self) -> None:
        """Raises Overloaded if a hash would be refused."""
        ...

    async def hash(self, password: SecretStr) -> str:
        """A hash of `password` to store."""
        ...

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        """Whether `stored` is a hash of `password`; False for None, after as long a time."""
        ...

    def is_outdated(self, stored: str) -> bool:
        """Whether a new hash of the same password would be of another cost or scheme."""
        ...


class Accounts:
    """The use cases of accounts. Any may raise TooManyAttempts, Overloaded or Unavailable."""

    def __init__(
        self,
        *,
        users: UserStore,
        sessions: SessionStore,
        endings: TerminationStore,
        logins: Logins,
        hasher: Hasher,
        policy: PasswordPolicy,
        attempts: Attempts,
        devices: Devices,
        pseudonyms: Pseudonyms,
        audit: AuditLog,
        announce: Announce,
        clock: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._endings = endings
        self._logins = logins
        self._hasher = hasher
        self._policy = policy
        self._attempts = attempts
        self._devices = devices
        self._pseudonyms = pseudonyms
        self._audit = audit
        self._announce = announce
        self._clock = clock

    async def signup(self, email: str, password: SecretStr, client: Client) -> User:
        """Open an account.

        Raises InvalidField or EmailTaken. After Unavailable the account may exist:
        signing up again then says EmailTaken, and login works.
        """
        self._hasher.check_room()
        self._policy.check(password, email)
        now = self._now()
        await self._attempts.signup(client.address, now)
        # Hashing before asking takes the same time whether the address is taken or
        # not, and leaves the race of two sign-ups to the database.
        password_hash = await self._hasher.hash(password)
        user = User(user_id=uuid4().hex, email=email, password_hash=password_hash, created_at=now)
        await self._users.add(user)
        await self._audit.add(Event.SIGNUP, client, now, user_id=user.user_id)
        return user

    async def login(
        self, shown: Credentials, client: Client, *, by_cookie: bool
    ) -> tuple[LoggedIn, str]:
        """Start a session; also the device token to show next time.

        Raises BadCredentials, the same and as late for an unknown address as for a wrong
        password; or AccountDisabled, to whoever knows the password.
        """
        # First of all: in a flood, those who must be sent away cost nobody anything.
        self._hasher.check_room()
        account = self._pseudonyms.of("account", shown.email)
        device = self._devices.known(account, shown.device_token)
        await self._attempts.login(account, device, client.address, self._now())
        user = await self._users.find_by_email(shown.email)
        matches = await self._hasher.matches(shown.password, user.password_hash if user else None)
        if user is None or not matches:
            await self._refused(Event.LOGIN_FAILED, user, shown.email, client)
            raise BadCredentials(_NO_MATCH)
        await self._attempts.succeeded(account, device, client.address)
        if user.disabled_at is not None:
            await self._refused(Event.LOGIN_DISABLED, user, shown.email, client)
            raise AccountDisabled("an administrator has disabled this account")
        await self._rehash(user, shown.password)
        login = await self._logins.begin(user, client, by_cookie=by_cookie)
        await self._audit.add(
            Event.LOGIN,
            client,
            self._now(),
            user_id=user.user_id,
            session_id=login.session.session_id,
        )
        token = shown.device_token if device is not None else None
        return login, token or self._devices.new(account)

    async def reauthenticate(self, caller: Caller, password: SecretStr) -> None:
        """Take note that the caller knows the password; raises BadCredentials."""
        await self._check_password(caller, password)
        now = self._now()
        await self._sessions.authenticated(caller.session, now)
        await self._tell(Event.REAUTHENTICATED, caller)

    async def change_password(self, caller: Caller, current: SecretStr, new: SecretStr) -> int:
        """Replace the password and end all other sessions; how many were ended.

        Raises InvalidField, BadCredentials; or Revoked if it was changed meanwhile.
        """
        self._policy.check(new, caller.user.email, field="new_password")
        await self._check_password(caller, current)
        if new.get_secret_value() == current.get_secret_value():
            raise InvalidField(
                "new_password: must differ from the current one", field="new_password"
            )
        password_hash = await self._hasher.hash(new)
        ended = await self._endings.change_password(
            caller.user, password_hash, now=self._now(), keep=caller.session.session_id
        )
        if ended is None:
            raise Revoked("the password was changed meanwhile; log in again")
        self._announce()
        await self._tell(Event.PASSWORD_CHANGED, caller)
        return ended

    async def _check_password(self, caller: Caller, password: SecretStr) -> None:
        """Raises BadCredentials; counted as attempts of a device of its own: the session."""
        user, session, client = caller.user, caller.session, caller.client
        account = self._pseudonyms.of("account", user.email)
        await self._attempts.login(account, session.session_id, client.address, self._now())
        if not await self._hasher.matches(password, user.password_hash):
            await self._tell(Event.REAUTHENTICATION_FAILED, caller)
            raise BadCredentials("the password is not right")
        await self._attempts.succeeded(account, session.session_id, client.address)

    async def _rehash(self, user: User, password: SecretStr) -> None:
        """Bring the stored hash up to the cost of today, unless there is too much to do."""
        if not self._hasher.is_outdated(user.password_hash):
            return
        try:
            password_hash = await self._hasher.hash(password)
        except Overloaded:
            return  # the next login will do it
        await self._users.rehash(user, password_hash)

    async def _refused(self, event: Event, user: User | None, email: str, client: Client) -> None:
        # One write either way: its time must not tell whether there is such an account.
        known = None if user is None else user.user_id
        unknown = self._pseudonyms.of("email", email) if user is None else None
        await self._audit.add(event, client, self._now(), user_id=known, email=unknown)

    async def _tell(self, event: Event, caller: Caller) -> None:
        await self._audit.add(
            event,
            caller.client,
            self._now(),
            user_id=caller.user.user_id,
            session_id=caller.session.session_id,
        )

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
