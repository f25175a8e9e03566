"""Logs in to Trade Dad's auth, and keeps the session up with refresh tokens."""

import asyncio
import time
from typing import Any, Final

import aiohttp
import msgspec

from tradedad_client.backoff import retry_after_secs
from tradedad_client.errors import ClientError, Refused, Unauthenticated, Unavailable
from tradedad_client.tokens import Token

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_LOGOUT_TIMEOUT: Final = aiohttp.ClientTimeout(total=3)
_MOST_BYTES: Final = 65_536
# Auth answers a refresh token once more for ten seconds, should its answer have been lost;
# who shows it later than that is taken for a thief, and the session ends.
_REPEAT_SECS: Final = 8.0
# Asked for so early, a new token has time to come, also if auth is away for a while.
_RENEW_AT: Final = 0.7
_SPARE_SECS: Final = 5.0


class _Tokens(msgspec.Struct, frozen=True):
    """Auth's answer to a login or a refresh."""

    access_token: str
    expires_in: float
    session_id: str
    refresh_token: str
    device_token: str | None = None


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    detail: str = ""
    field: str | None = None


class _Answer(ClientError):
    """Auth said no; caught within this module."""

    def __init__(self, path: str, status: int, problem: _Problem, retry_secs: float | None) -> None:
        super().__init__(f"POST {path} was answered with HTTP {status}: {problem.detail}")
        self.status = status
        self.problem = problem
        self.retry_secs = retry_secs

    def meaning(self) -> ClientError:
        """For the program: Unavailable if it may work later, else Refused."""
        if self.status in (408, 425, 429) or self.status >= 500:
            return Unavailable(str(self), retry_after_secs=self.retry_secs)
        kind = Unauthenticated if self.status in (401, 403) else Refused
        return kind(str(self), code=self.problem.code, field=self.problem.field)


class Login:
    """A session of its own, from the first token that is asked for until `close`."""

    def __init__(
        self, http: aiohttp.ClientSession, auth_url: str, email: str, password: str
    ) -> None:
        self._http = http
        self._url = auth_url.rstrip("/")
        self._email = email
        self._password = password
        self._current: Token | None = None
        self._dies_at = 0.0
        self._refresh_token: str | None = None
        self._shown_at: float | None = None
        """When the refresh token was first shown without an answer."""
        self._device_token: str | None = None
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Login({self._url!r})"

    async def token(self, *, newer_than: Token | None = None) -> Token:
        """The token of now, or a new one; logs in again only if the session cannot go on."""
        async with self._turn:
            current = self._current
            now = time.monotonic()
            if current is None or current is newer_than:
                return await self._renew()
            if now < (current.renew_at or now):
                return current
            try:
                return await self._renew()
            except Unavailable:
                if now < self._dies_at:
                    return current
                raise

    async def _renew(self) -> Token:
        return await self._refresh() if self._refresh_token else await self._log_in()

    async def _refresh(self) -> Token:
        now = time.monotonic()
        if self._shown_at is not None and now - self._shown_at > _REPEAT_SECS:
            self._refresh_token = None  # whether it was used, nobody knows
            return await self._log_in()
        is_first = self._shown_at is None
        self._shown_at = self._shown_at or now
        try:
            answer = await self._post("/auth/refresh", {"refresh_token": self._refresh_token})
        except aiohttp.ClientConnectorError as error:
            if is_first:
                self._shown_at = None  # it never left
            raise Unavailable(f"auth cannot be reached: {error}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"auth did not answer: {error!r}") from None
        except _Answer as answered:
            if answered.status == 401:
                self._refresh_token = None
                return await self._log_in()
            if is_first and answered.status == 429:
                self._shown_at = None
            raise answered.meaning() from None
        return self._keep(answer)

    async def _log_in(self) -> Token:
        body = {"email": self._email, "password": self._password}
        if self._device_token is not None:
            body["device_token"] = self._device_token
        try:
            answer = await self._post("/auth/login", body)
        except _Answer as answered:
            raise answered.meaning() from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"auth cannot be reached: {error!r}") from None
        return self._keep(answer)

    def _keep(self, answer: _Tokens) -> Token:
        self._refresh_token = answer.refresh_token
        self._shown_at = None
        self._device_token = answer.device_token or self._device_token
        now = time.monotonic()
        self._dies_at = now + answer.expires_in - _SPARE_SECS
        renew_at = now + answer.expires_in * _RENEW_AT
        self._current = Token(answer.access_token, answer.session_id, renew_at)
        return self._current

    async def _post(self, path: str, body: dict[str, Any]) -> _Tokens:
        async with self._http.post(self._url + path, json=body, timeout=_TIMEOUT) as response:
            data = await _read(response)
            if response.status == 200:
                try:
                    return msgspec.json.decode(data, type=_Tokens)
                except msgspec.DecodeError as error:
                    raise Refused(f"POST {path}: this is no auth of Trade Dad: {error}") from None
            try:
                problem = msgspec.json.decode(data, type=_Problem)
            except msgspec.DecodeError:
                problem = _Problem()
            retry_secs = retry_after_secs(response.headers.get("Retry-After"))
            raise _Answer(path, response.status, problem, retry_secs)

    async def close(self) -> None:
        """Log out, so that nothing is left of the session; if auth is away, it ends by itself."""
        token, self._current = self._current, None
        self._refresh_token = None
        if token is None:
            return
        headers = {"Authorization": f"Bearer {token.text}"}
        url = f"{self._url}/auth/logout"
        try:
            async with self._http.post(url, headers=headers, timeout=_LOGOUT_TIMEOUT):
                pass
        except (aiohttp.ClientError, TimeoutError):
            pass  # it has an end of its own


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body; of one that is longer than any of auth's, the beginning."""
    data = b""
    while len(data) < _MOST_BYTES and (more := await response.content.read(_MOST_BYTES)):
        data += more
    return data
