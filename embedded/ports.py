"""Chooses the ports of a stack, and says which ones are taken."""

import os
import socket
from contextlib import ExitStack
from typing import Final

from embedded.settings import port_variables
from shared.errors import ConfigError

HOST: Final = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """`count` different ports on which nothing listens at the moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


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
