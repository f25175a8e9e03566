"""The calls of one Upstox account under test, and servers that answer them badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.simulator.settings import SIMULATED_TOKEN
from services.trading.settings import TradingSettings
from services.trading.upstox.account_calls import AccountCalls
from services.trading.upstox.call_threads import CallThreads
from services.trading.upstox.skipped_rows import SkippedRows
from shared.contracts.order_terms import Account, OrderType, Prices, Product, Side, Terms, Validity
from shared.runtime.settings import UpstoxSettings
from tests.support.patience import PATIENCE_SECS

RELIANCE: Final = "NSE_EQ|INE002A01018"
HOST: Final = "127.0.0.1"


def trading_settings(
    api_url: str, *, timeout_secs: int | None = None, **more: Any
) -> TradingSettings:
    """Trading with this Upstox; `proxy_url` is a proxy for it."""
    proxy = SecretStr(more.pop("proxy_url", ""))
    timeout_secs = timeout_secs or round(PATIENCE_SECS)
    upstox = UpstoxSettings(api_url=api_url, timeout_secs=timeout_secs, proxy_url=proxy)
    return TradingSettings(nats_password=SecretStr("n" * 8), upstox=upstox, **more)


@asynccontextmanager
async def account_calls(
    api_url: str, *, token: str = SIMULATED_TOKEN, **settings: Any
) -> AsyncIterator[AccountCalls]:
    """Calls of an account, with threads of their own."""
    commands = CallThreads("commands", threads=2, waiting=2)
    reads = CallThreads("reads", threads=2, waiting=2)
    calls = await AccountCalls.open(
        trading_settings(api_url, **settings),
        token,
        SkippedRows(),
        command_threads=commands,
        read_threads=reads,
    )
    try:
        yield calls
    finally:
        await commands.close()
        await reads.close()
        calls.close()


def order_terms(
    order_type: OrderType = OrderType.LIMIT,
    *,
    price: str | None = "1200",
    trigger: str | None = None,
    quantity: int = 2,
    side: Side = Side.BUY,
    product: Product = Product.DELIVERY,
    key: str = RELIANCE,
) -> Terms:
    """The terms of an order at Upstox; a purchase for 1200 rupees stays open."""
    prices = Prices(
        quantity,
        order_type,
        Validity.DAY,
        None if price is None else Decimal(price),
        None if trigger is None else Decimal(trigger),
    )
    return Terms(Account.UPSTOX, key, side, product, prices)


class RawServer:
    """Answers every connection with the same bytes, and keeps the heads of requests."""

    def __init__(self, answer: bytes | None, *, is_reset: bool, is_open: bool) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self._answer = answer
        self._is_reset = is_reset
        self._is_open = is_open
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.partition(b"\r\n")[0])
            if self._answer is not None:
                writer.write(self._answer)
                await writer.drain()
            while self._is_open and await reader.read(1 << 16):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the test has ended
        finally:
            self._tasks.discard(task)
            if self._is_reset:
                writer.transport.abort()
            else:
                writer.close()

    async def stop(self) -> None:
        """End the connections that are still open."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def raw_server(
    answer: bytes | None,
    *,
    is_reset: bool = False,
    is_open: bool = False,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RawServer]:
    """A server that sends these bytes, or none, and then closes, resets or stays."""
    raw = RawServer(answer, is_reset=is_reset, is_open=is_open)
    server = await asyncio.start_server(raw.serve, HOST, 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    raw.url = f"{scheme}://{HOST}:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()
        await raw.stop()


def http_response(status: str, body: bytes, content_type: str = "application/json") -> bytes:
    """A complete response, after which the connection ends."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return f"{head}\r\nConnection: close\r\n\r\n".encode() + body


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate for loopback that nobody else has signed."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .sign(key, None)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "server.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
