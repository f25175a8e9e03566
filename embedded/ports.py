"""Chooses the ports of a stack, and says which ones are taken."""

import os
import random
import socket
from collections.abc import Iterator
from typing import Final

from embedded.settings import port_variables
from shared.errors import ConfigError

HOST: Final = "127.0.0.1"


# Below those that Linux gives to outgoing connections: none of those takes a port between
# our finding it free and a server's listening on it.
_RANGE: Final = range(10_240, 20_000)


def _in_turn(ports: range) -> Iterator[int]:
    """All of `ports` again and again, from a random one on."""
    start = random.randrange(len(ports))  # noqa: S311
    while True:
        yield from ports[start:]
        start = 0


_candidates = _in_turn(_RANGE)


def choose_from(ports: range) -> None:
    """From now on `free_ports` gives some of these: for processes that test side by side."""
    global _candidates
    _candidates = _in_turn(ports)


def free_ports(count: int) -> list[int]:
    """`count` different ports on which nothing listens at the moment; given in turn, so that
    none comes again soon.
    """
    found: list[int] = []
    while len(found) < count:
        port = next(_candidates)
        if not _is_taken(port):
            found.append(port)
    return found


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def free_stack_ports() -> dict[str, int]:
    """A free port for each variable that names one, whatever its setting."""
    names = port_variables()
    return dict(zip(names, free_ports(len(names)), strict=True))


def configured_ports() -> dict[str, int]:
    """The port of each variable, from the environment or its default.

    Raises ConfigError naming every port that is no number, is given twice, or is taken.
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
            problems.append(f"{name}: port {port} is already used by another part of the stack")
        elif _is_taken(port):
            problems.append(
                f"{name}: port {port} is taken; stop what listens there, "
                f"or choose another with {name}=PORT"
            )
        ports[name] = port
    if problems:
        raise ConfigError(problems)
    return ports
