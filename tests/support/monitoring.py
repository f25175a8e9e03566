"""Prometheus, Alertmanager and their tools, of Debian's packages."""

import shutil
from pathlib import Path
from typing import Final

from embedded.binaries import MissingProgramError, apt_install, can_use_apt
from embedded.settings import StackSettings
from shared.runtime.settings import load

_PACKAGES: Final = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}
"""The package of each program."""


def monitoring_program(name: str) -> Path:
    """The path of a program. Raises MissingProgramError with the remedy."""
    found = shutil.which(name)
    if found is None:
        raise MissingProgramError(f"tests need {name}; run: sudo apt-get install {_PACKAGES[name]}")
    return Path(found)


def install_monitoring() -> None:
    """Install the packages of the programs that are missing, if apt-get may be used.

    Raises MissingProgramError with the remedy.
    """
    may_install = load(StackSettings).allow_apt and can_use_apt()
    for name, package in _PACKAGES.items():
        if shutil.which(name) is None and may_install:
            apt_install(package)
        monitoring_program(name)
