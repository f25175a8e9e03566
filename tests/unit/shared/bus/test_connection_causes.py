"""The cause of a failed connection names the setting, the URL and what is wrong."""

import errno
import socket
import ssl

import pytest
from nats.errors import Error as NatsError

from shared.bus.connection_causes import ConnectionCauses

URL = "nats://bus:4222"
REFUSAL = NatsError("nats: 'Authorization Violation'")
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
REFUSED = (
    f"authorization violation: {URL} refuses the user persister or TRADEDAD_PERSISTER_NATS_PASSWORD"
)


def failure_cause(error: Exception, user: str) -> str:
    return ConnectionCauses(URL, user).cause(error)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "connection refused"),
        (OSError("Multiple exceptions: [Errno 111] Connect, [Errno 111]"), "connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "the host name cannot be resolved"),
        (TimeoutError(), "no response in time"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "Network is unreachable"),
        (NatsError("nats: unexpected"), "nats: unexpected"),
        (NatsError("x" * 1_000), "x" * 200),
    ],
)
def test_a_network_failure_names_the_setting_and_its_urls(error: Exception, cause: str) -> None:
    assert failure_cause(error, "gateway") == f"TRADEDAD_NATS_URL: {URL}: {cause}"


def test_an_untrusted_certificate_is_not_another_failure_of_tls() -> None:
    untrusted = ssl.SSLCertVerificationError(1, "x")
    untrusted.verify_message = "self-signed certificate"
    assert "the certificate is not trusted (self-signed" in failure_cause(untrusted, "auth")
    assert "TLS handshake failed (wrong version)" in failure_cause(
        ssl.SSLError(1, "wrong version"), "auth"
    )


def test_a_refused_user_is_told_which_password_to_check() -> None:
    assert failure_cause(REFUSAL, "persister") == REFUSED


def test_a_reset_after_a_refusal_is_taken_for_another_refusal() -> None:
    causes = ConnectionCauses(URL, "persister")
    assert [causes.cause(error) for error in (REFUSAL, RESET, RESET)] == [REFUSED] * 3


def test_a_reset_without_a_refusal_names_the_url_and_the_password() -> None:
    causes = ConnectionCauses(URL, "persister")
    reset = causes.cause(RESET)
    assert reset == (
        f"TRADEDAD_NATS_URL: {URL}: connection reset; the server may refuse the user or "
        "TRADEDAD_PERSISTER_NATS_PASSWORD"
    )
    causes.cause(REFUSAL)
    causes.connected()
    assert causes.cause(RESET) == reset, "the refusal is forgotten once the user was accepted"
    causes.cause(REFUSAL)
    causes.cause(ConnectionRefusedError())
    assert causes.cause(RESET) == reset, "the refusal is forgotten after another failure"
