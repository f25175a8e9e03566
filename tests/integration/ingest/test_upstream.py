"""The socket to Upstox is opened only to a server with a trusted certificate."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.ingest.feed.upstream import UpstoxFeed, feed_session
from shared.errors import FeedError
from shared.runtime.clock import SystemClock


def self_signed(folder: Path) -> ssl.SSLContext:
    """A self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


class FixedAddress:
    """Authorizes, and returns an address of the test."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def feed_url(self, access_token: str) -> str:
        return self._url


async def test_a_server_with_an_untrusted_certificate_is_refused_before_the_handshake(
    tmp_path: Path,
) -> None:
    connected = False

    async def accept(request: web.Request) -> web.StreamResponse:
        nonlocal connected
        connected = True
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    site = web.Application()
    site.add_routes([web.get("/feed", accept)])
    runner = web.AppRunner(site)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self_signed(tmp_path))
    await server.start()
    port = runner.addresses[0][1]
    async with feed_session() as session:
        feed = UpstoxFeed(
            session, FixedAddress(f"wss://localhost:{port}/feed"), SystemClock(), ping_secs=1.0
        )
        with pytest.raises(FeedError) as refused:
            async with feed.connect("token"):
                pass
    await runner.cleanup()
    assert "Certificate" in str(refused.value)
    assert not connected
