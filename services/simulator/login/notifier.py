"""Posts approved tokens to the application's notifier address."""

import aiohttp

from shared.runtime.logs import get_logger

log = get_logger(__name__)


class Notifier:
    """One attempt for each token, and a bounded one: nothing is known of Upstox retrying."""

    def __init__(self, url: str, *, timeout_secs: float) -> None:
        self.url = url
        """Empty if the application has none."""
        self._timeout = aiohttp.ClientTimeout(total=timeout_secs)

    async def post(self, message: dict[str, str]) -> int | None:
        """The status that the application answered with; None if it did not answer."""
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as http,
                http.post(self.url, json=message, allow_redirects=False) as response,
            ):
                return response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the notifier did not answer", why=type(error).__name__)
            return None
