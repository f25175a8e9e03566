"""The page that a browser gets when it comes back from Upstox. Pure."""

from html import escape
from typing import Final

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
{more}<p><a href="/">Continue to Trade Dad</a></p>
</body></html>
"""
_COPY: Final = (
    "Copy this into Trade Dad, where you began the login. Copy it nowhere else: whoever has it can"
    " link your account for ten minutes."
)
_NOT_LINKED: Final = "Not linked"
# The detail of other errors is written for people already.
_WORDS: Final = {
    Code.RATE_LIMITED: "There were too many requests from your address. Log in again later.",
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


def answer_page(text: str) -> str:
    """The page after a login: the text with which its user finishes it."""
    return _page("Copy one text", _COPY, f"<p><code>{escape(text)}</code></p>\n")


def failed_page(error: RequestError) -> str:
    """The page for an answer that cannot be used."""
    detail = error.detail
    return _page(_NOT_LINKED, _WORDS.get(error.code, f"{detail[:1].upper()}{detail[1:]}."))


def declined_page(error: str) -> str:
    """The page for the parameter `error` of Upstox, of which the text itself is not shown.

    Anybody can make a link to this page with any text in it.
    """
    return _page(_NOT_LINKED, _UPSTOX_ERRORS.get(error, _OTHER_UPSTOX_ERROR))


def _page(title: str, text: str, more: str = "") -> str:
    """`more` is HTML."""
    return _PAGE.format(title=escape(title), text=escape(text), more=more)
