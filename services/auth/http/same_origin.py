"""Whether a request with a cookie was made by our own pages (defence against CSRF)."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from shared.errors import Forbidden

_OURS: Final = "same-origin"


def check_same_origin(
    fetch_site: str | None, origin: str | None, host: str, allowed_origins: Collection[str]
) -> None:
    """Raises Forbidden unless the browser says that one of our pages made the request.

    `fetch_site` is the header Sec-Fetch-Site, `origin` the header Origin, `host` the one
    that the client has asked for. A page of somebody else's cannot forge any of them. A
    browser that sends none of the first two is too old to be trusted with a cookie.
    """
    if origin is not None and origin in allowed_origins:
        return
    if fetch_site is not None:
        if fetch_site != _OURS:
            raise Forbidden("a page of another site may not do this", field="Sec-Fetch-Site")
        return
    if origin is None:
        raise Forbidden("a cookie counts only with Sec-Fetch-Site or Origin", field="Origin")
    if urlsplit(origin).netloc != host:
        raise Forbidden("a page of another origin may not do this", field="Origin")
