"""The demo's promise: a trader's first minute, with every bar equal to what was traded."""

import pytest

from tests.e2e.conftest import Run


@pytest.mark.timeout(120)
def test_the_demo_ends_well_and_its_report_is_whole(stack_command: Run) -> None:
    done = stack_command("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bars equal to every trade" in done.stdout
    assert "10 of 10" in done.stdout


@pytest.mark.timeout(120)
def test_a_demo_that_goes_wrong_says_so(stack_command: Run) -> None:
    done = stack_command(
        "demo",
        TRADEDAD_SIMULATOR_ACCESS_TOKEN="another",
        TRADEDAD_STACK_START_TIMEOUT_SECS="25",
    )
    assert done.returncode != 0
    told = " ".join(done.stdout.split())
    assert "demo failed: not ready after 25 s:" in told
    assert "ingest (" in told
    assert "Upstox refused it" in told
