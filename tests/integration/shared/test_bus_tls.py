"""The bus accepts only servers whose certificate the configured authority has signed."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from embedded import binaries, daemons
from embedded.ports import HOST, free_ports
from operations.certificates import Certificate, create_authority, create_server_certificate
from shared.bus.connection import connect_bus
from shared.errors import ConfigError
from shared.runtime.health import Readiness
from shared.runtime.tasks import stop
from tests.support.processes import child_process
from tests.support.servers import PASSWORD, NatsServer, data_folder
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

NOW = datetime.now(UTC)
AUTHORITY = create_authority(NOW)


@contextmanager
def tls_server() -> Iterator[str]:
    """The address of a nats-server with a certificate of the authority."""
    pair = create_server_certificate(AUTHORITY, ("localhost", HOST), NOW)
    port, monitor_port = free_ports(2)
    with data_folder("tradedad-nats-") as folder:
        certificate, key = folder / "tls.crt", folder / "tls.key"
        certificate.write_bytes(pair.certificate)
        key.write_bytes(pair.key)
        program = binaries.nats_server(None, allow_apt=False)
        command = daemons.nats_command(program, port=port, monitor_port=monitor_port, folder=folder)
        command += ["--tls", "--tlscert", str(certificate), "--tlskey", str(key)]
        with child_process(NatsServer(command, port, folder)):
            yield f"tls://{HOST}:{port}"


async def connects(url: str, ca: Path | None) -> str | None:
    """None once a client has connected; otherwise why it does not."""
    readiness = Readiness("test")
    settings = nats_settings(url, has_outages=True).model_copy(update={"ca_file": ca})
    async with AsyncExitStack() as stack:
        bus = connect_bus(settings, user="ingest", password=PASSWORD, readiness=readiness)
        connecting = asyncio.ensure_future(stack.enter_async_context(bus))
        try:
            await eventually(
                lambda: (
                    connecting.done() or readiness.missing.get("nats") not in (None, "connecting")
                ),
                what="the connection is made, or the cause is known",
            )
            if connecting.done():
                await connecting
            return readiness.missing.get("nats")
        finally:
            await stop([connecting])


def ca_file(folder: Path, authority: Certificate) -> Path:
    path = folder / "ca.crt"
    path.write_bytes(authority.certificate)
    return path


async def test_a_server_of_the_authority_is_accepted(tmp_path: Path) -> None:
    with tls_server() as url:
        assert await connects(url, ca_file(tmp_path, AUTHORITY)) is None


async def test_a_server_of_another_authority_is_refused(tmp_path: Path) -> None:
    with tls_server() as url:
        for ca in (ca_file(tmp_path, create_authority(NOW)), None):
            assert "certificate" in str(await connects(url, ca))


async def test_a_file_without_a_certificate_is_named_with_its_setting(tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_text("no certificate")
    with pytest.raises(ConfigError) as raised:
        await connects("tls://127.0.0.1:1", path)
    (problem,) = raised.value.problems
    assert problem.startswith(f"TRADEDAD_NATS_CA_FILE: {path}: ")
