"""How often clients are written to follows the work that it is."""

import pytest

from services.gateway.flush import turn_secs


@pytest.mark.parametrize(
    ("work_secs", "expected"),
    [
        (0.0, 0.0),  # nobody: at once
        (0.001, 0.005),  # few: often, with as much rest as leaves time for all else
        (0.009, 0.018),  # many: within the latency goal
        (0.011, 0.018),
        (0.020, 0.030),  # too many for it: still with a rest
        (1.0, 1.5),
    ],
)
def test_a_turn_leaves_time_for_what_comes_meanwhile(work_secs: float, expected: float) -> None:
    assert turn_secs(work_secs, longest_secs=0.018) == pytest.approx(expected)
