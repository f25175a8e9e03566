"""Same-origin check of requests that carry a cookie, against cross-site request forgery."""

from collections.abc import Collection
from typing import Final

from shared.errors import Forbidden
from shared.web.origins import is_of_host, normalised

_SAME_ORIGIN: Final = "same-origin"


def check_same_origin(
    fetch_site: str | None, origin: str | None, host: str, allowed_origins: Collection[str]
) -> None:
    """Raises Forbidden unless the request was made by a page of this host or of an allowed origin.

    `fetch_site` is the header Sec-Fetch-Site, `origin` the header Origin and `host` the host
    that the client requested. A page of another site cannot forge any of them. A browser that
    sends neither of the first two headers is too old to be trusted with a cookie.
    """
    if origin is not None and normalised(origin) in map(normalised, allowed_origins):
        return
    if fetch_site is not None:
        if fetch_site != _SAME_ORIGIN:
            raise Forbidden("not allowed to pages of another site", field="Sec-Fetch-Site")
        return
    if origin is None:
        raise Forbidden("a cookie requires the header Sec-Fetch-Site or Origin", field="Origin")
    if not is_of_host(origin, host):
        raise Forbidden("not allowed to pages of another origin", field="Origin")
