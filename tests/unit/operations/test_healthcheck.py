"""A container is healthy while the service in it answers 200."""

import socket
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from operations.healthcheck import port_of, status_line

PORTS = {"TRADEDAD_AUTH_OPS_PORT": "7411"}


@pytest.mark.parametrize(
    "command",
    [b"python\0-m\0services.auth\0", b"/sbin/docker-init\0--\0python\0-m\0services.auth"],
    ids=["first process", "below an init"],
)
def test_the_port_is_that_of_the_service_in_the_command_line(command: bytes) -> None:
    assert port_of(command, PORTS) == 7411


@pytest.mark.parametrize("command", [b"sleep\0100\0", b"python\0-m\0operations\0admins\0list\0"])
def test_a_command_that_is_no_service_has_no_port(command: bytes) -> None:
    assert port_of(command, PORTS) is None


def test_a_missing_port_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ValueError, match="TRADEDAD_GATEWAY_OPS_PORT is not set to a port"):
        port_of(b"python\0-m\0services.gateway\0", PORTS)


def test_the_status_line_of_the_answer_is_returned() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        requests: list[bytes] = []

        def answer() -> None:
            connection, _ = server.accept()
            with closing(connection):
                requests.append(connection.recv(1_000))
                connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert status_line(server.getsockname()[1], "/readyz") == "HTTP/1.1 503 Service Unavailable"
        thread.join(10)
        assert requests[0].startswith(b"GET /readyz HTTP/1.1\r\n")


def test_it_imports_neither_pydantic_nor_a_service() -> None:
    program = "import sys, operations.healthcheck; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"pydantic", "aiohttp", "services", "shared"} & set(done.stdout.split())
