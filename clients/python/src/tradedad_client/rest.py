"""Sends HTTP requests to the gateway, and repeats them until an answer or a deadline."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final, TypeVar

import aiohttp

from tradedad_client.answers import Effect, Failure, failure_of_answer, read_answer
from tradedad_client.attempts import Attempts
from tradedad_client.backoff import parse_retry_after
from tradedad_client.bearer import Bearer
from tradedad_client.errors import NotUnderstood, Refused, Unauthenticated, Unavailable, Unreachable
from tradedad_client.http_request import Request
from tradedad_client.reasons import reason
from tradedad_client.tokens import Token

log = logging.getLogger("tradedad_client")

T = TypeVar("T")

_MAX_BODY_BYTES: Final = 16 * 1024 * 1024
# aiohttp sends these again by itself if a connection that was used before is lost. So a failure
# to connect does not say that they were never sent.
_REPEATED_BY_AIOHTTP: Final = frozenset(("GET", "PUT", "DELETE"))


@dataclass(frozen=True, slots=True)
class RequestTiming:
    """Timeouts of requests for orders and accounts."""

    attempt_secs: float = 10.0
    """Limit for one attempt; longer than the gateway waits for an answer (5 s)."""
    total_secs: float = 30.0
    """Limit for all attempts of a request together."""


class RestClient:
    """Requests with the access token of a client."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, bearer: Bearer, timing: RequestTiming
    ) -> None:
        self._http = http
        self._url = url
        self._bearer = bearer
        self._timing = timing
        self._is_closed = False

    def close(self) -> None:
        """Send nothing more, neither new requests nor repeated ones."""
        self._is_closed = True

    async def send(self, request: Request, kind: type[T]) -> T:
        """Send a request and return its decoded answer.

        It is sent again after failures that are temporary. Raises OutcomeUnknown if a command
        may have been executed, Unavailable if there was no answer in time, Refused if there was
        a refusal.
        """
        deadline = time.monotonic() + self._timing.total_secs
        attempts = Attempts(request.command_key, deadline, is_repeatable=request.is_repeatable)
        is_renewed = False
        while True:
            token = await self._token(self._attempt_secs(deadline))
            if isinstance(token, Token):
                secs = self._attempt_secs(deadline, is_only=not request.is_repeatable)
                answer = await self._attempt(request, kind, token, secs)
                if not isinstance(answer, Failure):
                    return answer
                failure = answer
                if isinstance(failure.error, Unauthenticated):
                    self._bearer.refuse(token, failure.error)
                    if not is_renewed:
                        is_renewed = True
                        continue
            else:
                failure = token
            pause_secs = attempts.pause_secs(failure, time.monotonic())
            log.info("%s; trying again in %.1f s", failure.error, pause_secs)
            await asyncio.sleep(pause_secs)

    def _attempt_secs(self, deadline: float, *, is_only: bool = False) -> float:
        """Return the time that an attempt may take; never 0, which aiohttp takes for no limit.

        An attempt after which there is no other one may take all the time that is left.
        """
        left_secs = deadline - time.monotonic()
        return max(0.001, left_secs if is_only else min(self._timing.attempt_secs, left_secs))

    async def _token(self, secs: float) -> Token | Failure:
        if self._is_closed or self._http.closed:
            return Failure(Unreachable("the client is closed"), Effect.NOT_EXECUTED)
        try:
            async with asyncio.timeout(secs):
                return await self._bearer.token()
        except TimeoutError:
            late = Unavailable(f"there was no access token within {secs:.1f} s")
            return Failure(late, Effect.NOT_EXECUTED)
        except Exception as error:  # noqa: BLE001  (raised by `Attempts`, or the cause of its error)
            # Also an error of the program's own token source must not hide that a command was sent.
            return Failure(error, Effect.NOT_EXECUTED)

    async def _attempt(
        self, request: Request, kind: type[T], token: Token, secs: float
    ) -> T | Failure:
        headers = {"Authorization": f"Bearer {token.text}"}
        if request.command_key is not None:
            headers["Idempotency-Key"] = request.command_key
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._http.request(
                request.method,
                self._url + request.path,
                headers=headers,
                data=request.body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=secs, sock_connect=secs / 2),
            ) as response:
                body = await _read_body(response)
                if body is None:
                    error = NotUnderstood(f"the answer is longer than {_MAX_BODY_BYTES} bytes")
                    return Failure(error, Effect.UNKNOWN)
                if 200 <= response.status < 300:
                    return read_answer(body, kind)
                retry_after_secs = parse_retry_after(response.headers.get("Retry-After"))
                return failure_of_answer(request, response.status, body, retry_after_secs)
        except aiohttp.InvalidURL as invalid:
            detail = f"{self._url} is not a valid URL: {invalid}"
            return Failure(Refused(detail), Effect.NOT_EXECUTED)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as away:
            unsent = request.method not in _REPEATED_BY_AIOHTTP
            unreachable = Unavailable(f"the gateway cannot be reached: {reason(away)}")
            return Failure(unreachable, Effect.NOT_EXECUTED if unsent else Effect.UNKNOWN)
        except (aiohttp.ClientError, OSError, TimeoutError) as lost:
            return Failure(
                Unavailable(f"the gateway did not answer: {reason(lost)}"), Effect.UNKNOWN
            )


async def _read_body(response: aiohttp.ClientResponse) -> bytes | None:
    """Read the body; None if it is longer than any answer of the gateway."""
    body = bytearray()
    async for data in response.content.iter_any():
        body += data
        if len(body) > _MAX_BODY_BYTES:
            return None
    return bytes(body)
