"""Runs schemathesis: requests to a service, generated from its own OpenAPI document."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from embedded.daemons import ROOT
from tests.support.patience import PATIENCE_SECS, TEST_TIMEOUT_SECS

CHECKS: Final = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
    "unsupported_method", "allow_header_conformance", "ignored_auth", "declared_error_code",
)  # fmt: skip
_CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
_TIMEOUT_SECS: Final = TEST_TIMEOUT_SECS / 2


async def run_schemathesis(
    url: str, document: str, *options: str, examples: int = 10, **environ: str
) -> tuple[int, str]:
    """Its exit code and output; `document` is the path of the OpenAPI document at `url`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run",
        url + document,
        "--url", url, "--seed", "1", "--workers", "1", "--no-color", "--continue-on-failure",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples),
        "--checks", ",".join(CHECKS), "--request-timeout", f"{PATIENCE_SECS:g}", *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.support.schemathesis_checks"} | environ,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _TIMEOUT_SECS)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, output.decode()
