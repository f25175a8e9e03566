"""The page that a browser gets when it comes back from Upstox. Pure."""

from html import escape
from typing import Final

from shared.contracts.upstox_links import LinkPurpose, LinkView
from shared.errors import Code, RequestError

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The address of the page has the code and the state.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trade Dad: {title}</title></head>
<body><h1>{title}</h1>
<p>{text}</p>
<p><a href="/">Continue to Trade Dad</a></p>
</body></html>
"""
_NOT_LINKED: Final = "Not linked"
_PURPOSES: Final = {
    LinkPurpose.TRADING: "for your orders",
    LinkPurpose.FEED: "for the market feed of this system",
}
# The detail of other errors is written for people already.
_WORDS: Final = {
    Code.RATE_LIMITED: "There were too many requests from your address. Log in again later.",
    Code.LINK_STATE_INVALID: (
        "This login was not started here, is older than ten minutes, or was finished before. "
        "Start it again."
    ),
    Code.INVALID_FIELD: "Upstox's answer is not complete. Start the login again.",
}
# The errors of an authorization (RFC 6749, 4.1.2.1).
_UPSTOX_ERRORS: Final = {
    "access_denied": "You have not allowed it on the page of Upstox.",
    "invalid_request": "Upstox did not understand the login.",
    "unauthorized_client": "The app may not be used for this login.",
    "unsupported_response_type": "The app may not be used for this login.",
    "invalid_scope": "The app may not be used for this login.",
    "server_error": "Upstox has failed. Log in again later.",
    "temporarily_unavailable": "Upstox is not available at the moment. Log in again later.",
}
_OTHER_UPSTOX_ERROR: Final = "Upstox has ended the login with an error. Start it again."


def linked_page(link: LinkView) -> str:
    """The page after a login that has made a link."""
    account = link.upstox_user_id or "your Upstox account"
    name = f" ({link.user_name})" if link.user_name else ""
    return _page(
        "Linked", f"The Upstox account {account}{name} is linked {_PURPOSES[link.purpose]}."
    )


def failed_page(error: RequestError) -> str:
    """The page after a login that has failed."""
    detail = error.detail
    return _page(_NOT_LINKED, _WORDS.get(error.code, f"{detail[:1].upper()}{detail[1:]}."))


def declined_page(error: str) -> str:
    """The page for the parameter `error` of Upstox, of which the text itself is not shown.

    Anybody can make a link to this page with any text in it.
    """
    return _page(_NOT_LINKED, _UPSTOX_ERRORS.get(error, _OTHER_UPSTOX_ERROR))


def _page(title: str, text: str) -> str:
    return _PAGE.format(title=escape(title), text=escape(text))
