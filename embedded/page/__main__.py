"""Commands for the page: ``python -m embedded.page build|check|test|format|api|dev``."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

from embedded.binaries import MissingProgramError
from embedded.page.build import (
    MODULES,
    SOURCES,
    PageError,
    build,
    build_if_possible,
    install,
    run_tool,
)
from embedded.page.node import environment, node
from shared.runtime import exit_codes

_BIOME: Final = "@biomejs/biome/bin/biome"
_API: Final = "../tools/api_types.mjs"


def _build() -> None:
    if build():
        print("built the page")


def _build_if_possible() -> None:
    """Without a page everything else runs, and the gateway says at `/` what to do."""
    reason = build_if_possible()
    if reason is not None:
        print(f"the page is not built, everything else runs: {reason}", file=sys.stderr)


def _check() -> None:
    """Formatting and rules, types, and whether the types of the API are those of the documents."""
    install()
    run_tool(_BIOME, "ci", "--error-on-warnings", ".")
    run_tool("typescript/bin/tsc", "--noEmit")
    run_tool(_API, "--check")


def _test() -> None:
    install()
    run_tool("vitest/vitest.mjs", "run")


def _format() -> None:
    install()
    run_tool(_BIOME, "check", "--write", ".")


def _api() -> None:
    install()
    run_tool(_API)


def _dev() -> None:
    install()
    vite = [node(), MODULES / "vite/bin/vite.js"]
    subprocess.run(vite, cwd=SOURCES, env=environment(), check=False)


COMMANDS: Final[Mapping[str, Callable[[], None]]] = {
    "build": _build,
    "build-if-possible": _build_if_possible,
    "check": _check,
    "test": _test,
    "format": _format,
    "api": _api,
    "dev": _dev,
}


def main() -> int:
    """Run the command of the command line and return its exit code."""
    command = COMMANDS.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if command is None:
        print(f"usage: python -m embedded.page {'|'.join(COMMANDS)}", file=sys.stderr)
        return exit_codes.CONFIG
    try:
        command()
    except (MissingProgramError, PageError) as error:
        print(error, file=sys.stderr)
        return exit_codes.FAILED
    except KeyboardInterrupt:
        return exit_codes.OK
    return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main())
