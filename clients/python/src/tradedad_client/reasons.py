"""Failures of connections in words."""

import errno

import aiohttp


def reason(error: BaseException) -> str:
    """Return why a connection or a request failed, for people."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            cause = getattr(error, "certificate_error", None) or error.os_error
            return f"the TLS certificate of {error.host} is not accepted: {cause}"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} cannot be resolved"
        case aiohttp.ClientConnectorError():
            return f"{error.host}:{error.port}: {_system_reason(error.os_error)}"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed without an answer"
        case aiohttp.ClientPayloadError():
            return "the answer broke off"
        case OSError():
            return _system_reason(error)
        case _:
            return str(error) or type(error).__name__


def _system_reason(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "nothing listens there"
    if error.errno in (errno.ECONNRESET, errno.EPIPE):
        return "the connection was lost"
    return (error.strerror or str(error) or type(error).__name__).lower()
