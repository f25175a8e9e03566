"""Certificates are accepted for their names by a TLS client that trusts their authority."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from operations.certificates import Certificate, create_authority, create_server_certificate

NOW = datetime.now(UTC)
AUTHORITY = create_authority(NOW)


def handshake(server: Certificate, host: str, authority: Certificate, folder: Path) -> None:
    """A TLS handshake in memory. Raises ssl.SSLError if the client refuses the certificate."""
    chain = folder / "server.pem"
    chain.write_bytes(server.certificate + server.key)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(chain)
    client_context = ssl.create_default_context(cadata=authority.certificate.decode())
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    other = server_context.wrap_bio(to_server, to_client, server_side=True)
    is_done = False
    for _ in range(10):
        for side in (client, other):
            try:
                side.do_handshake()
                is_done = side is other or is_done
            except ssl.SSLWantReadError:
                continue
    assert is_done


@pytest.mark.parametrize("host", ["nats-0.nats", "127.0.0.1"])
def test_a_server_is_accepted_under_each_of_its_names(host: str, tmp_path: Path) -> None:
    server = create_server_certificate(AUTHORITY, ("nats-0.nats", "127.0.0.1"), NOW)
    handshake(server, host, AUTHORITY, tmp_path)


def test_a_server_is_refused_under_another_name(tmp_path: Path) -> None:
    server = create_server_certificate(AUTHORITY, ("nats-0.nats",), NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(server, "mongo-0.mongo", AUTHORITY, tmp_path)


def test_a_server_of_another_authority_is_refused(tmp_path: Path) -> None:
    server = create_server_certificate(create_authority(NOW), ("nats",), NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, "nats", AUTHORITY, tmp_path)
