"""Health check of a container: asks the service in it whether it is alive, or ready.

``python -m operations.healthcheck [/healthz|/readyz [PORT]]``. It runs every few seconds, so it imports
little: the operations port comes from the environment, which the image sets for every service.
"""

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FIRST_PROCESS: Final = Path("/proc/1/cmdline")
_TIMEOUT_SECS: Final = 3.0
_MAX_LINE_BYTES: Final = 4_096


def port_of(command_line: bytes, environ: Mapping[str, str]) -> int | None:
    """Return the operations port of the service that a command line starts; None for no service.

    Raises ValueError if the environment does not have the port.
    """
    match = re.search(rb"(?:^|\0)services\.([a-z]+)(?:\0|$)", command_line)
    if match is None:
        return None
    variable = f"TRADEDAD_{match[1].decode().upper()}_OPS_PORT"
    text = environ.get(variable, "")
    if not text.isdecimal():
        raise ValueError(f"{variable} is not set to a port")
    return int(text)


def status_line(port: int, path: str) -> str:
    """Return the first line of the answer. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECS) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            return answer.readline(_MAX_LINE_BYTES).decode("latin-1").strip()


def main() -> int:
    """Print the answer's status; returns 0 if it is 200, or if the container has no service."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/healthz"
    try:
        given = sys.argv[2] if len(sys.argv) > 2 else ""
        port = int(given) if given else port_of(_FIRST_PROCESS.read_bytes(), os.environ)
        status = "no service" if port is None else status_line(port, path)
    except (OSError, ValueError) as error:
        print(error)
        return 1
    print(status)
    return 0 if port is None or " 200 " in status else 1


if __name__ == "__main__":
    sys.exit(main())
