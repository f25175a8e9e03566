"""The calls of a login at Upstox, through the official SDK in a small pool of threads."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
import upstox_client
from upstox_client.rest import ApiException
from urllib3.util import Retry

from services.trading.links.upstox_words import (
    Profile,
    ProfileAnswer,
    Request,
    RequestAnswer,
    TokenAnswer,
    refusal,
)
from shared.errors import Overloaded, RequestError, Unavailable
from shared.runtime.settings import UpstoxSettings

_THREADS: Final = 4
_MAX_CALLS: Final = 64
"""That run or wait for a thread."""
_API_VERSION: Final = "2.0"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class App:
    """An app at Upstox: the operator's, or the user's own."""

    client_id: str
    client_secret: str = field(repr=False)
    is_own: bool


class LoginCalls:
    """Each call is sent once, and with a timeout.

    All raise LinkRefused if Upstox refuses, Overloaded if too many calls wait, and Unavailable on
    any other failure: whether Upstox has carried out the call is then not known.
    """

    def __init__(self, settings: UpstoxSettings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="upstox-login")
        self._free_calls = threading.BoundedSemaphore(_MAX_CALLS)

    def close(self) -> None:
        """Drop the calls that wait. Those that run end with their timeouts."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def token(self, app: App, code: str, redirect_url: str) -> TokenAnswer:
        """Exchange a code, which Upstox accepts once, for a token."""

        def call(api: Any, timeout_secs: int) -> bytes:
            return upstox_client.LoginApi(api).token(  # type: ignore[no-any-return]
                _API_VERSION,
                code=code,
                client_id=app.client_id,
                client_secret=app.client_secret,
                redirect_uri=redirect_url,
                grant_type="authorization_code",
                _request_timeout=timeout_secs,
            )

        return _decode(await self._run("", call), TokenAnswer)

    async def profile(self, access_token: str) -> Profile:
        """The user of a token."""

        def call(api: Any, timeout_secs: int) -> bytes:
            return upstox_client.UserApi(api).get_profile(  # type: ignore[no-any-return]
                _API_VERSION, _request_timeout=timeout_secs
            )

        return _decode(await self._run(access_token, call), ProfileAnswer).data

    async def request(self, app: App) -> Request:
        """Let Upstox ask the app's user for a token, which its notifier posts."""

        def call(api: Any, timeout_secs: int) -> bytes:
            body = upstox_client.IndieUserTokenRequest(client_secret=app.client_secret)
            login = upstox_client.LoginApi(api)
            return login.init_token_request_for_indie_user(  # type: ignore[no-any-return]
                body, app.client_id, _request_timeout=timeout_secs
            )

        return _decode(await self._run("", call), RequestAnswer).data

    async def logout(self, access_token: str) -> None:
        """Make a token invalid."""

        def call(api: Any, timeout_secs: int) -> bytes:
            return upstox_client.LoginApi(api).logout(  # type: ignore[no-any-return]
                _API_VERSION, _request_timeout=timeout_secs
            )

        await self._run(access_token, call)

    async def _run(self, access_token: str, call: Callable[[Any, int], bytes]) -> bytes:
        if not self._free_calls.acquire(blocking=False):
            raise Overloaded("too many logins at Upstox wait; try again")
        running = self._pool.submit(self._blocking, access_token, call)
        # A call whose caller was cancelled counts until it ends.
        running.add_done_callback(lambda _: self._free_calls.release())
        return await asyncio.wrap_future(running)

    def _blocking(self, access_token: str, call: Callable[[Any, int], bytes]) -> bytes:
        try:
            with _api_client(self._settings, access_token) as api:
                return call(api, self._settings.timeout_secs)
        except ApiException as error:
            raise refusal(error.status, error.body) from None
        except RequestError:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK raises errors of urllib3 and others
            # The error's text may quote the request.
            raise Unavailable(f"Upstox does not answer ({type(error).__name__})") from None


@contextmanager
def _api_client(settings: UpstoxSettings, access_token: str) -> Iterator[Any]:
    """A client of the SDK whose calls return the body of the answer. Blocks."""
    # Configuration() copies one process-wide default, which may be that of the sandbox.
    configuration = upstox_client.Configuration()
    for logger in configuration.logger.values():
        logger.handlers.clear()  # the SDK's handlers bypass our log format
    configuration.sandbox = False
    configuration.host = settings.api_url
    configuration.proxy = settings.proxy
    configuration.access_token = access_token
    client = upstox_client.ApiClient(configuration)
    # The pool serves the SDK's asynchronous calls. Left running, it blocks the thread in which
    # it is garbage-collected.
    client.pool.terminate()
    client.pool.join()
    # By default urllib3 sends a DELETE four times.
    client.rest_client.pool_manager.connection_pool_kw["retries"] = Retry(False)
    # The SDK's models refuse an answer with a product or exchange that is new at Upstox.
    client.deserialize = lambda response, _: response.data
    try:
        yield client
    finally:
        client.rest_client.pool_manager.clear()


def _decode(body: bytes, answer_type: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=answer_type)
    except msgspec.DecodeError:
        raise Unavailable("Upstox's answer is not as documented; start the login again") from None
