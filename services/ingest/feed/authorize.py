"""Requests the one-time address of the market-data feed, through the Upstox SDK."""

import asyncio

import upstox_client
from upstox_client.rest import ApiException

from shared.errors import FeedError, FeedUnauthorised
from shared.runtime.settings import UpstoxSettings


class FeedAuthorizer:
    """The SDK's authorize call. Construction and the call block, so both run in a thread."""

    def __init__(self, settings: UpstoxSettings) -> None:
        # Configuration() copies one process-wide default, and reads its host from it.
        self._configuration = configuration = upstox_client.Configuration()
        for logger in configuration.logger.values():
            logger.handlers.clear()  # the SDK's handlers bypass our log format
        configuration.host = settings.api_url
        configuration.proxy = settings.proxy
        self._timeout_secs = settings.timeout_secs
        client = upstox_client.ApiClient(configuration)
        # The pool serves asynchronous calls, which ingest does not make. Left running, it
        # blocks the thread in which it is garbage-collected.
        client.pool.terminate()
        client.pool.join()
        self._api = upstox_client.WebsocketApi(client)
        self._lock = asyncio.Lock()

    async def feed_url(self, access_token: str) -> str:
        """A WebSocket address that is valid for one connection within about a minute.

        Raises FeedUnauthorised if Upstox refuses the token, FeedError on any other failure.
        """
        async with self._lock:  # the SDK's configuration holds one token at a time
            return await asyncio.to_thread(self._authorize, access_token)

    def _authorize(self, access_token: str) -> str:
        self._configuration.access_token = access_token
        try:
            answer = self._api.get_market_data_feed_authorize_v3(
                _request_timeout=self._timeout_secs
            )
        except ApiException as error:
            if error.status in (401, 403):
                raise FeedUnauthorised("unauthorised", f"HTTP {error.status}") from None
            raise FeedError("authorize", f"HTTP {error.status}") from None
        except Exception as error:  # noqa: BLE001 - for an unexpected body the SDK raises any type
            raise FeedError("authorize", type(error).__name__) from None
        url = getattr(getattr(answer, "data", None), "authorized_redirect_uri", None)
        if not isinstance(url, str) or not url.startswith(("ws://", "wss://")):
            raise FeedError("authorize", "the response has no WebSocket address")
        return url
