"""Builds the page into the gateway's folder, if its sources have changed since the last build."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from embedded.binaries import MissingProgramError
from embedded.daemons import ROOT
from embedded.page.node import environment, install_packages, node
from shared.errors import TradeDadError

SOURCES: Final = ROOT / "web"
OUTPUT: Final = ROOT / "services" / "gateway" / "web"
"""The folder that the gateway serves; it is not under version control."""
MODULES: Final = SOURCES / "node_modules"
_PACKAGES: Final = "package-lock.json"
_TURN: Final = SOURCES / ".build.lock"
_INSTALLED: Final = MODULES / ".installed"
_BUILT: Final = MODULES / ".built"
_INSTALL_SECS: Final = 900.0
_BUILD_SECS: Final = 300.0


class PageError(TradeDadError):
    """The page cannot be built, or does not pass its checks; the message has the tool's words."""


def is_built() -> bool:
    """Whether the page in the gateway's folder is that of the sources."""
    return (OUTPUT / "index.html").is_file() and _read(_BUILT) == sources_digest()


def build() -> bool:
    """Build if necessary; whether it was. Raises MissingProgramError or PageError.

    Without a change no network is used. Of several processes, one builds and the others wait.
    """
    if is_built():
        return False
    with _only_process():
        if is_built():
            return False
        install()
        digest = sources_digest()
        draft = MODULES / f".draft-{os.getpid()}"
        try:
            run_tool("vite/bin/vite.js", "build", "--outDir", str(draft), "--logLevel", "warn")
            _run([sys.executable, SOURCES / "tools/compress.py", draft], _BUILD_SECS)
            _replace(draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        _BUILT.write_text(digest)
    return True


def install() -> None:
    """Install the packages of the lock file, if it has changed. Raises MissingProgramError."""
    digest = hashlib.sha256((SOURCES / _PACKAGES).read_bytes()).hexdigest()
    if _read(_INSTALLED) != digest:
        install_packages(SOURCES, _INSTALL_SECS)
        _INSTALLED.write_text(digest)


def run_tool(script: str, *arguments: str, timeout_secs: float = _BUILD_SECS) -> None:
    """Run a program of an npm package. Raises PageError with its output if it fails."""
    _run([node(), MODULES / script, *arguments], timeout_secs)


def _run(command: list[str | Path], timeout_secs: float) -> None:
    """Run an interpreter with a script and its arguments. Raises PageError."""
    _, script, *arguments = map(str, command)
    name = script.removeprefix(f"{MODULES}/")
    try:
        done = subprocess.run(
            command,
            cwd=SOURCES,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_secs,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PageError(f"{name} took over {timeout_secs:g} s") from None
    if done.returncode != 0:
        raise PageError(f"{name} {' '.join(arguments)} failed:\n{done.stdout}")


def sources_digest() -> str:
    """A hash of every file that the build reads."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*")):
        name = path.relative_to(SOURCES)
        if name.parts[0] == MODULES.name or path == _TURN or not path.is_file():
            continue
        digest.update(f"{name.as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _replace(draft: Path) -> None:
    """Put the finished page in place of the old one: a gateway never reads half of it."""
    old = draft.with_name(f"{draft.name}-old")
    if OUTPUT.exists():
        OUTPUT.rename(old)
    draft.rename(OUTPUT)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _only_process() -> Iterator[None]:
    with _TURN.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def build_if_possible() -> str | None:
    """Build for `make run`: the reason why it was not possible, `None` if it was."""
    try:
        build()
    except (MissingProgramError, PageError) as error:
        return str(error)
    return None
