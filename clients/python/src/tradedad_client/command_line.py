"""Command line: ``python -m tradedad_client watch RELIANCE``, ``search``, ``bars``, ``order`` ..."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from tradedad_client.arguments import parser
from tradedad_client.client import Client
from tradedad_client.errors import ClientError, OutcomeUnknown
from tradedad_client.trading_requests import new_command_key
from tradedad_client.watch import watch

_BROKEN_PIPE: Final = 128 + signal.SIGPIPE
"""Exit code after the output was closed by its reader: 128 + SIGPIPE, as in a shell."""
_INTERRUPTED: Final = 128 + signal.SIGINT
"""Exit code of a query that was interrupted before its answer."""
_EXIT_UNKNOWN: Final = 3
"""Exit code if a command may or may not have been executed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 3 if the outcome of a command is not known."""
    options = parser().parse_args(arguments)
    is_command = "command_key" in options
    if is_command and options.command_key is None:
        options.command_key = new_command_key()
    try:
        with _log_on_stderr():
            asyncio.run(_run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter would flush again at its end, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OutcomeUnknown as error:
        return _report_unknown(error.detail, error.command_key)
    except (ClientError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if is_command:
            return _report_unknown("interrupted: the outcome is not known", options.command_key)
        return 0 if options.run is watch else _INTERRUPTED
    return 0


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    """Write the client's log, of lost connections and new attempts, to standard error."""
    log = logging.getLogger("tradedad_client")
    handler = logging.StreamHandler()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)


def _report_unknown(detail: str, command_key: str) -> int:
    print(detail, file=sys.stderr)
    print(f"To ask again, add: --command-key {command_key}", file=sys.stderr)
    return _EXIT_UNKNOWN


async def _run(options: argparse.Namespace) -> None:
    async with Client.from_environment(
        url=options.url, auth_url=options.auth_url, stream=options.run is watch
    ) as client:
        await options.run(client, options)
