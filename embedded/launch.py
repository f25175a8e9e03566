"""Starts nats-server or mongod with the stack's settings: ``python -m embedded.launch nats``."""

import os
import sys

from embedded import daemons
from embedded.secrets import NATS_PASSWORDS, ensure_secrets
from embedded.settings import StackSettings
from shared.runtime import exit_codes
from shared.runtime.settings import load


def main() -> None:
    """Replace this process by the server. Exits with CONFIG on a wrong command line."""
    settings = load(StackSettings)
    match sys.argv[1:]:
        case ["nats"] if settings.nats_server is not None:
            command = daemons.nats_command(
                settings.nats_server,
                port=settings.nats_port,
                monitor_port=settings.nats_monitor_port,
                folder=settings.data_dir / "nats",
            )
            secrets = ensure_secrets(settings.data_dir / "secrets")
            environment = {name: secrets[name] for name in NATS_PASSWORDS}
        case ["mongo"] if settings.mongod is not None:
            command = daemons.mongod_command(
                settings.mongod,
                port=settings.mongo_port,
                folder=settings.data_dir / "mongo",
                log=settings.data_dir / "mongod.log",
            )
            environment = {}
        case _:
            print("usage: python -m embedded.launch nats|mongo", file=sys.stderr)
            sys.exit(exit_codes.CONFIG)
    os.execve(command[0], command, environment)  # noqa: S606


if __name__ == "__main__":
    main()
