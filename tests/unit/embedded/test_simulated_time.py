"""A folder with simulated data of another time is not used again."""

from pathlib import Path

import pytest

from embedded.simulated_time import check_simulated_time
from shared.errors import ConfigError

FAST = {"TRADEDAD_SIMULATOR_SPEED": "60"}


@pytest.mark.parametrize("environment", [{}, {"TRADEDAD_SIMULATOR_SPEED": "1.0"}])
def test_a_market_of_the_clocks_time_can_be_continued(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    check_simulated_time(tmp_path, environment)
    check_simulated_time(tmp_path, environment)


@pytest.mark.parametrize("environment", [FAST, {"TRADEDAD_SIMULATOR_START_MS": "1795000000000"}])
@pytest.mark.parametrize("later", [{}, FAST])
def test_after_a_market_of_another_time_the_folder_is_refused_by_name(
    tmp_path: Path, environment: dict[str, str], later: dict[str, str]
) -> None:
    check_simulated_time(tmp_path, environment)
    ((name, value),) = environment.items()
    with pytest.raises(ConfigError) as raised:
        check_simulated_time(tmp_path, later)
    (problem,) = raised.value.problems
    assert f"{name}={value}" in problem
    assert str(tmp_path) in problem


def test_a_market_may_change_from_the_clocks_time_to_another_once(tmp_path: Path) -> None:
    check_simulated_time(tmp_path, {})
    check_simulated_time(tmp_path, FAST)
    with pytest.raises(ConfigError):
        check_simulated_time(tmp_path, FAST)
