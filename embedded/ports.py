"""Chooses free TCP ports, and checks configured ones."""

import os
import random
import socket
from collections.abc import Iterator
from typing import Final

from embedded.settings import port_variables
from shared.errors import ConfigError

HOST: Final = "127.0.0.1"

# Below Linux's range for outgoing connections, so that none of these takes a port between the
# check that it is free and the start of the server.
_RANGE: Final = range(10_240, 20_000)


def _cycle(ports: range) -> Iterator[int]:
    """Yield `ports` in a cycle, beginning at a random one."""
    start = random.randrange(len(ports))  # noqa: S311
    while True:
        yield from ports[start:]
        start = 0


_candidates = _cycle(_RANGE)


def set_port_range(ports: range) -> None:
    """Restrict `free_ports` to a range, so that parallel test processes do not collide."""
    global _candidates
    _candidates = _cycle(ports)


def free_ports(count: int) -> list[int]:
    """Return `count` different ports on which no process listens.

    Ports are assigned in a cycle, so that a port is not reused soon.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = next(_candidates)
        if not _is_taken(port):
            ports.append(port)
    return ports


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def free_stack_ports() -> dict[str, int]:
    """Return a free port for each port variable, regardless of its setting."""
    names = port_variables()
    return dict(zip(names, free_ports(len(names)), strict=True))


def configured_ports() -> dict[str, int]:
    """Return the port of each port variable, from the environment or its default.

    Raises ConfigError with every port that is not a number, is given twice, or is taken.
    """
    ports: dict[str, int] = {}
    problems = []
    for name, default in port_variables().items():
        value = os.environ.get(name, str(default))
        if not value.isdigit() or not 0 < int(value) < 65_536:
            problems.append(f"{name}: {value!r} is not a port number between 1 and 65535")
            continue
        port = int(value)
        if port in ports.values():
            problems.append(f"{name}: port {port} is already used by another process of the stack")
        elif _is_taken(port):
            problems.append(
                f"{name}: port {port} is taken; stop the process that listens on it, "
                f"or choose another with {name}=PORT"
            )
        ports[name] = port
    if problems:
        raise ConfigError(problems)
    return ports
