"""A command of the Makefile that fails ends its target with an error."""

import os
import subprocess

from embedded.daemons import ROOT


def test_a_command_whose_output_is_piped_ends_the_target_if_it_fails() -> None:
    # A make that was started by another one prints more.
    variables = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(
        ["make", "--eval", "piped: ; @(echo broken; false) | tail -n 1", "piped"],
        cwd=ROOT, capture_output=True, text=True, check=False, env=variables,
    )  # fmt: skip
    assert (made.returncode, made.stdout) == (2, "broken\n")
