"""Causes of a failed connection to NATS, with the setting and its URLs."""

import socket
import ssl
from typing import Final

URL_SETTING: Final = "TRADEDAD_NATS_URL"
_MAX_TEXT_CHARS: Final = 200


class ConnectionCauses:
    """Why `user` has no connection; `url` are the URLs of the settings, which have no password.

    A server that refuses a password closes the connection at once, so the client sometimes reads
    a reset instead of the refusal. After a refusal, a reset is therefore taken for another one.
    """

    def __init__(self, url: str, user: str) -> None:
        self._url = url
        self._user = user
        self._refusal: str | None = None

    def connected(self) -> None:
        """The server has accepted the user."""
        self._refusal = None

    def cause(self, error: Exception) -> str:
        """The cause of a failed connection, with its setting."""
        setting = f"TRADEDAD_{self._user.upper()}_NATS_PASSWORD"
        match error:
            case _ if _is_refusal(error):
                refused = f"refuses the user {self._user} or {setting}"
                self._refusal = f"authorization violation: {self._url} {refused}"
                return self._refusal
            case ConnectionResetError() if self._refusal is not None:
                return self._refusal
            case ConnectionResetError():
                cause = f"connection reset; the server may refuse the user or {setting}"
            case _:
                self._refusal = None
                cause = _network_cause(error)
        return f"{URL_SETTING}: {self._url}: {cause}"


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
