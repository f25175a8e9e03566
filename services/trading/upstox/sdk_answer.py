"""The HTTP answer to one call of the SDK, or why there is none."""

from collections.abc import Callable
from typing import Any

from upstox_client.rest import ApiException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProxyError

from services.trading.upstox.answer_reading import HttpAnswer
from services.trading.upstox.single_attempt import BadBody


class NotSent(Exception):
    """No connection could be opened: the request was certainly not sent."""


class NoAnswer(Exception):
    """The request may have been sent, and there is no complete answer."""


def http_answer(call: Callable[[], Any]) -> HttpAnswer:
    """Make a call without deserialisation, whatever its status. Blocks.

    The SDK's models would drop unknown fields, and fail on a new value of a known one. Errors have
    no text from below, which could contain the token. Raises NotSent or NoAnswer.
    """
    try:
        response = call()
    except ApiException as error:
        if not error.status:
            raise NoAnswer("the TLS connection failed") from None
        return HttpAnswer(error.status, error.body or b"")
    except BadBody as error:
        raise NoAnswer(f"the body is {error}") from None
    except HTTPError as error:
        name = type(error).__name__
        if _is_before_sending(error):
            raise NotSent(f"no connection to Upstox ({name})") from None
        raise NoAnswer(f"no complete answer ({name})") from None
    except Exception as error:  # noqa: BLE001 - the SDK raises any type
        raise NoAnswer(f"the call failed ({type(error).__name__})") from None
    return HttpAnswer(response.status, response.data)


def _is_before_sending(error: HTTPError) -> bool:
    """Whether the TCP connection failed. Timeouts of TLS and of answers are of other types."""
    if isinstance(error, ProxyError):
        # Also raised for a connection that breaks after the request was sent through a proxy.
        return isinstance(error.original_error, ConnectTimeoutError)
    return isinstance(error, ConnectTimeoutError)
