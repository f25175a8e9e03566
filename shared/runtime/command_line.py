"""Groups and commands of a command line, each with its own ``--help``."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

Groups: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # has no public name
Run = Callable[[argparse.Namespace], int]
"""Runs a command; returns the exit code."""


def add_group(groups: Groups, name: str, text: str) -> Groups:
    """Add a group of commands, or the group of all groups."""
    group = groups.add_parser(name, help=text, description=text)
    return group.add_subparsers(required=True, metavar="COMMAND", dest="command")


def add_command(groups: Groups, name: str, run: Run, text: str | None) -> argparse.ArgumentParser:
    """Add a command; the parsed arguments have its function as `run`."""
    command = groups.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command
