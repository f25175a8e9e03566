"""Generators of clients and types read the documents in docs without a warning."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docgen.reference import AUTH_OPENAPI, GATEWAY_OPENAPI, STREAM_TYPES
from embedded.page.build import MODULES, install
from embedded.page.node import environment, node
from tests.support.patience import TEST_TIMEOUT_SECS

# The package, one of its files, and what that must have.
DOCUMENTS = {
    GATEWAY_OPENAPI: ("trade_dad_rest_client", "api/history/bars.py", "Problem.from_dict"),
    AUTH_OPENAPI: ("trade_dad_auth_client", "api/accounts/login.py", "Problem.from_dict"),
    STREAM_TYPES: ("trade_dad_stream_client", "models/quotes.py", "data: list[Quote]"),
}


def run(*command: str | Path, env: dict[str, str]) -> str:
    """Run a generator; return what it prints."""
    done = subprocess.run(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TEST_TIMEOUT_SECS / 2,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_python_client_has_errors_and_messages_and_another_name_than_ours(
    document: Path, tmp_path: Path
) -> None:
    scripts = Path(sys.executable).parent
    home = tmp_path / "generated"
    run(
        scripts / "openapi-python-client", "generate", "--path", document, "--output-path", home,
        "--fail-on-warning",
        # It formats what it has generated with ruff.
        env=os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}"},
    )  # fmt: skip
    package, file, text = DOCUMENTS[document]
    assert text in (home / package / file).read_text()


def test_types_of_typescript_are_generated_without_a_warning(tmp_path: Path) -> None:
    install()
    for document in DOCUMENTS:
        output = tmp_path / f"{document.name}.ts"
        printed = run(
            *(node(), MODULES / "openapi-typescript" / "bin" / "cli.js", document, "-o", output),
            env=environment(),
        )
        assert "warn" not in printed.lower()
        assert "export interface components" in output.read_text()
