"""Chooses free TCP ports, and checks configured ones."""

import errno
import os
import random
import re
import socket
from collections.abc import Iterator
from typing import Final

from embedded.settings import all_variables, port_variables
from shared.errors import ConfigError
from shared.runtime.setting_problems import shown
from shared.runtime.setting_sources import stripped
from shared.runtime.site import listen_problem

HOST: Final = "127.0.0.1"
OPS_HOST: Final = "TRADEDAD_RUNTIME_OPS_HOST"

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
    return _bind_error(HOST, port) is not None


def _bind_error(host: str, port: int) -> OSError | None:
    """Why this process cannot listen on `host`:`port`; None if it can."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    except UnicodeError as error:  # a name that IDNA cannot encode
        return OSError(errno.EADDRNOTAVAIL, str(error))
    return None


def host_setting(port_variable: str) -> str | None:
    """The variable of the address on which `port_variable` is opened; None for the servers."""
    if port_variable.endswith("_OPS_PORT"):
        return OPS_HOST
    name = f"{port_variable.removesuffix('_PORT')}_HOST"
    return name if name in all_variables() else None


def configured_hosts() -> dict[str, str]:
    """The address on which each port variable is opened, from the environment or its default."""
    defaults = all_variables()
    hosts = {}
    for name in port_variables():
        setting = host_setting(name)
        value = HOST if setting is None else os.environ.get(setting, defaults[setting])
        hosts[name] = stripped(value).removeprefix("[").removesuffix("]")
    return hosts


def free_stack_ports() -> dict[str, int]:
    """Return a free port for each port variable, regardless of its setting."""
    names = port_variables()
    return dict(zip(names, free_ports(len(names)), strict=True))


def configured_ports() -> dict[str, int]:
    """Return the port of each port variable, from the environment or its default.

    Raises ConfigError with every port that is not a number, is given twice, or on which this process
    cannot listen, and with every host that is not an address of this machine.
    """
    ports: dict[str, int] = {}
    problems: dict[str, None] = {}
    hosts = configured_hosts()
    for name, default in port_variables().items():
        value = stripped(os.environ.get(name, str(default)))
        if not re.fullmatch("[0-9]{1,5}", value) or not 0 < int(value) < 65_536:
            problems[f"{name}: {shown(value)} is not a port number between 1 and 65535"] = None
            continue
        port = int(value)
        if port in ports.values():
            problems[f"{name}: port {port} is already used by another process of the stack"] = None
        elif (error := _bind_error(hosts[name], port)) is not None:
            problems[_problem(error, name, hosts[name], port)] = None
        ports[name] = port
    if problems:
        raise ConfigError(list(problems))
    return ports


def _problem(error: OSError, name: str, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{name}: port {port} is taken; stop the process that listens on it, "
            f"or choose another with {name}=PORT"
        )
    return listen_problem(error, host, port, (host_setting(name) or name, name))
