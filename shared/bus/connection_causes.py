"""Causes of a failed connection to NATS, with the setting and its URLs."""

import socket
import ssl
from typing import Final

URL_SETTING: Final = "TRADEDAD_NATS_URL"
_MAX_TEXT_CHARS: Final = 200


def failure_cause(error: Exception, url: str, user: str) -> str:
    """Why `user` has no connection; `url` are the URLs of the settings, which have no password."""
    if _is_refusal(error):
        setting = f"TRADEDAD_{user.upper()}_NATS_PASSWORD"
        return f"authorization violation: {url} refuses the user {user} or {setting}"
    return f"{URL_SETTING}: {url}: {_network_cause(error)}"


def _is_refusal(error: Exception) -> bool:
    text = str(error).lower()
    return "authorization" in text or "authentication" in text


def _network_cause(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"TLS: the certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS handshake failed ({error.strerror or error}); does the server use TLS?"
        case socket.gaierror():
            return "the host name cannot be resolved"
        case ConnectionRefusedError():
            return "connection refused"
        case TimeoutError():
            return "no response in time"
        case OSError() if "Errno 111" in str(error):  # of several addresses of one name
            return "connection refused"
        case OSError() if error.strerror:
            return error.strerror
        case _:
            return (str(error) or repr(error))[:_MAX_TEXT_CHARS]
