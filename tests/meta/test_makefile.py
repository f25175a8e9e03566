"""A command of the Makefile that fails ends its target with an error."""

import subprocess

from embedded.daemons import ROOT


def test_a_command_whose_output_is_piped_ends_the_target_if_it_fails() -> None:
    made = subprocess.run(
        ["make", "--eval", "piped: ; @(echo broken; false) | tail -n 1", "piped"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (made.returncode, made.stdout) == (2, "broken\n")
