"""Obtains access tokens by logging in, and renews them with refresh tokens."""

import asyncio
import time
from typing import Any, Final

import aiohttp
import msgspec

from tradedad_client.backoff import parse_retry_after
from tradedad_client.errors import ClientError, Refused, Unauthenticated, Unavailable
from tradedad_client.reasons import reason
from tradedad_client.tokens import Token

# What msgspec raises for bytes that are no JSON of a type.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_LOGOUT_TIMEOUT: Final = aiohttp.ClientTimeout(total=3)
_MAX_BODY_BYTES: Final = 65_536
# Auth answers the same refresh token again for 60 seconds, unless set otherwise, in case its answer
# was lost. A later use looks like theft, and auth ends the session. The last attempt takes up to 10 s.
_REFRESH_RETRY_SECS: Final = 48.0
# Share of a token's lifetime after which it is renewed; the rest covers an outage of auth.
_RENEW_AFTER: Final = 0.7
_EXPIRY_MARGIN_SECS: Final = 5.0


class _TokenResponse(msgspec.Struct, frozen=True):
    """Auth's answer to a login or a refresh."""

    access_token: str
    expires_in: float
    session_id: str
    refresh_token: str
    device_token: str | None = None


class _ProblemDocument(msgspec.Struct, frozen=True):
    code: str = ""
    detail: str = ""
    field: str | None = None


class _AuthError(ClientError):
    """Auth answered with an error status; never leaves this module."""

    def __init__(
        self, path: str, status: int, problem: _ProblemDocument, retry_after_secs: float | None
    ) -> None:
        super().__init__(f"POST {path} was answered with HTTP {status}: {problem.detail}")
        self.status = status
        self.problem = problem
        self.retry_after_secs = retry_after_secs

    def to_client_error(self) -> ClientError:
        """Return Unavailable if a later attempt may succeed, else Refused."""
        if self.status in (408, 425, 429) or self.status >= 500:
            return Unavailable(str(self), retry_after_secs=self.retry_after_secs)
        kind = Unauthenticated if self.status in (401, 403) else Refused
        return kind(str(self), code=self.problem.code, field=self.problem.field)


class PasswordTokenSource:
    """Tokens of a login session of its own, which `close` ends."""

    def __init__(
        self, http: aiohttp.ClientSession, auth_url: str, email: str, password: str
    ) -> None:
        self._http = http
        self._url = auth_url.rstrip("/")
        self._email = email
        self._password = password
        self._current: Token | None = None
        self._expires_at = 0.0
        self._refresh_token: str | None = None
        self._first_sent_at: float | None = None
        """When the refresh token was first sent without receiving an answer."""
        self._device_token: str | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"PasswordTokenSource({self._url!r})"

    async def token(self, *, newer_than: Token | None = None) -> Token:
        """Return the current token or a new one; log in only if the session cannot continue."""
        async with self._lock:
            current = self._current
            now = time.monotonic()
            if current is None or current is newer_than:
                return await self._renew()
            if now < (current.renew_at or now):
                return current
            try:
                return await self._renew()
            except Unavailable:
                if now < self._expires_at:
                    return current
                raise

    async def _renew(self) -> Token:
        return await self._refresh() if self._refresh_token else await self._log_in()

    async def _refresh(self) -> Token:
        now = time.monotonic()
        if self._first_sent_at is not None and now - self._first_sent_at > _REFRESH_RETRY_SECS:
            self._refresh_token = None  # auth may have used it; sending it now ends the session
            return await self._log_in()
        is_first = self._first_sent_at is None
        self._first_sent_at = self._first_sent_at or now
        try:
            response = await self._post("/auth/refresh", {"refresh_token": self._refresh_token})
        except aiohttp.ClientConnectorError as error:
            if is_first:
                self._first_sent_at = None  # the request was not sent
            raise Unavailable(f"the access token cannot be renewed: {reason(error)}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"no answer to the renewal of the token: {reason(error)}") from None
        except _AuthError as error:
            if error.status == 401:
                self._refresh_token = None
                return await self._log_in()
            if is_first and error.status == 429:
                self._first_sent_at = None
            raise error.to_client_error() from None
        return self._store(response)

    async def _log_in(self) -> Token:
        body = {"email": self._email, "password": self._password}
        if self._device_token is not None:
            body["device_token"] = self._device_token
        try:
            response = await self._post("/auth/login", body)
        except _AuthError as error:
            raise error.to_client_error() from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the login failed: {reason(error)}") from None
        return self._store(response)

    def _store(self, response: _TokenResponse) -> Token:
        self._refresh_token = response.refresh_token
        self._first_sent_at = None
        self._device_token = response.device_token or self._device_token
        now = time.monotonic()
        self._expires_at = now + response.expires_in - _EXPIRY_MARGIN_SECS
        renew_at = now + response.expires_in * _RENEW_AFTER
        self._current = Token(response.access_token, response.session_id, renew_at)
        return self._current

    async def _post(self, path: str, body: dict[str, Any]) -> _TokenResponse:
        async with self._http.post(self._url + path, json=body, timeout=_TIMEOUT) as response:
            data = await _read_body(response)
            if response.status == 200:
                try:
                    return msgspec.json.decode(data, type=_TokenResponse)
                except _UNREADABLE as error:
                    detail = f"POST {path} was not answered by Trade Dad's auth: {error}"
                    raise Refused(detail) from None
            try:
                problem = msgspec.json.decode(data, type=_ProblemDocument)
            except _UNREADABLE:
                problem = _ProblemDocument()
            retry_after_secs = parse_retry_after(response.headers.get("Retry-After"))
            raise _AuthError(path, response.status, problem, retry_after_secs)

    async def close(self) -> None:
        """Log out; if auth does not answer, the session expires by itself."""
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
            pass  # the session expires by itself


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Read the body up to 64 KiB, more than any of auth's answers."""
    data = b""
    while len(data) < _MAX_BODY_BYTES and (more := await response.content.read(_MAX_BODY_BYTES)):
        data += more
    return data
