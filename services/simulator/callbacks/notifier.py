"""Posts approved access tokens to the application's notifier URL."""

import aiohttp

from shared.runtime.logs import get_logger

log = get_logger(__name__)


class Notifier:
    """Makes one attempt per token, with a timeout; whether Upstox retries is not known."""

    def __init__(self, url: str, *, timeout_secs: float) -> None:
        self.url = url
        """Empty if the application has no notifier URL."""
        self._timeout = aiohttp.ClientTimeout(total=timeout_secs)

    async def post(self, message: dict[str, str]) -> int | None:
        """The HTTP status of the application's answer; None if it did not answer."""
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as http,
                http.post(self.url, json=message, allow_redirects=False) as response,
            ):
                return response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("notifier did not answer", error=type(error).__name__)
            return None
