"""Tries a running service against its own OpenAPI document, with schemathesis."""

import asyncio
import os
import sys
from typing import Final

from embedded.daemons import ROOT

CHECKS: Final = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
    "unsupported_method", "allow_header_conformance", "ignored_auth",
)  # fmt: skip
_SECS: Final = 100


async def schemathesis(
    url: str, document: str, *options: str, examples: int = 10, **environ: str
) -> tuple[int, str]:
    """The exit code and output of its command line; `document` is a path at `url`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", url + document,
        "--url", url, "--seed", "1", "--workers", "1", "--no-color", "--continue-on-failure",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples),
        "--checks", ",".join(CHECKS), *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env=os.environ | environ,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECS)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, output.decode()
