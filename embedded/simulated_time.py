"""Refuses a data folder whose simulated market data may lie in the future.

A simulated market that runs faster than time, or that began at a given time, leaves bars and a
checkpoint of other times. A later run in the same folder could store no bar until its time has
passed theirs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.errors import ConfigError

_FILE: Final = "other-time"
_SPEED: Final = "TRADEDAD_SIMULATOR_SPEED"
_START: Final = "TRADEDAD_SIMULATOR_START_MS"


def check_simulated_time(folder: Path, environment: Mapping[str, str]) -> None:
    """Record that this run leaves data of another time than the clock's.

    Raises ConfigError if an earlier run has done so, or if the folder cannot be written.
    """
    marker = folder / _FILE
    try:
        if marker.exists():
            problem = (
                f"TRADEDAD_STACK_DATA_DIR: the market in {folder} ran at another time "
                f"({marker.read_text().strip()}), and its data may lie in the future; "
                "delete this folder, or set another one"
            )
            raise ConfigError([problem])
        settings = [
            f"{name}={environment[name]}" for name in (_SPEED, _START) if environment.get(name)
        ]
        if environment.get(_START) or float(environment.get(_SPEED) or 1) != 1:
            marker.write_text(" ".join(settings) + "\n")
    except OSError as error:
        raise ConfigError(
            [f"TRADEDAD_STACK_DATA_DIR: cannot use {marker}: {error.strerror}"]
        ) from None
