"""The cause of a failed connection names the setting, the URL and what is wrong."""

import errno
import socket
import ssl

import pytest
from nats.errors import Error as NatsError

from shared.bus.connection_causes import failure_cause

URL = "nats://bus:4222"


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
    assert failure_cause(error, URL, "gateway") == f"TRADEDAD_NATS_URL: {URL}: {cause}"


def test_an_untrusted_certificate_is_not_another_failure_of_tls() -> None:
    untrusted = ssl.SSLCertVerificationError(1, "x")
    untrusted.verify_message = "self-signed certificate"
    assert "the certificate is not trusted (self-signed" in failure_cause(untrusted, URL, "auth")
    assert "TLS handshake failed (wrong version)" in failure_cause(
        ssl.SSLError(1, "wrong version"), URL, "auth"
    )


def test_a_refused_user_is_told_which_password_to_check() -> None:
    error = NatsError("nats: 'Authorization Violation'")
    assert failure_cause(error, URL, "persister") == (
        f"authorization violation: {URL} refuses the user persister or "
        "TRADEDAD_PERSISTER_NATS_PASSWORD"
    )
