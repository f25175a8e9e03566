"""Programs of other people that tests use: a browser, Node.js with packages of npm, Prometheus, nginx.

``python -m tests.support.third_party`` installs what is missing, or names the remedy.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from embedded.binaries import MissingProgramError, apt_install, can_use_apt
from embedded.daemons import ROOT
from embedded.page.node import install_packages
from embedded.settings import StackSettings
from shared.runtime.settings import load
from tests.support.monitoring import install_monitoring
from tests.support.nginx import install_nginx
from tests.support.patience import PATIENCE_SECS

WS_PROGRAM: Final = ROOT / "tests/integration/third_party_clients/ws"
_BROWSERS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_NPM_TIMEOUT_SECS: Final = 10 * PATIENCE_SECS


def chromium() -> Path:
    """The path of a browser. Raises MissingProgramError with the remedy."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise MissingProgramError(
            f"tests need a browser, and none of {', '.join(_BROWSERS)} is on PATH; "
            "run: sudo apt-get install chromium-headless-shell"
        )
    return Path(found)


def install_chromium() -> Path:
    """The same; installs Debian's package if there is no browser and apt-get may be used."""
    try:
        return chromium()
    except MissingProgramError:
        if not (load(StackSettings).allow_apt and can_use_apt()):
            raise
        apt_install("chromium-headless-shell")
        return chromium()


def with_packages(program: Path) -> Path:
    """A copy of a Node.js program, with the packages that its lock file names.

    Raises MissingProgramError if they cannot be fetched.
    """
    lock = (program / "package-lock.json").read_bytes()
    home = ROOT / ".tools" / "npm" / f"{program.name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (home / "node_modules").is_dir():
        _fetch(program, home)
    for source in program.glob("*.mjs"):
        _copy_at_once(source, home / source.name)
    return home


def _copy_at_once(source: Path, target: Path) -> None:
    """Another process may be starting the program: it must not read half of it."""
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copy(source, draft)
    draft.replace(target)


def _fetch(program: Path, home: Path) -> None:
    """Fetch into another folder and rename it: another process may do the same."""
    shutil.rmtree(draft := home.with_name(f"{home.name}.{os.getpid()}"), ignore_errors=True)
    shutil.copytree(program, draft)
    install_packages(draft, _NPM_TIMEOUT_SECS)
    if not home.is_dir():
        draft.rename(home)


def main() -> int:
    """Install what is missing; the exit code."""
    try:
        install_chromium()
        with_packages(WS_PROGRAM)
        install_monitoring()
        install_nginx()
    except MissingProgramError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
