"""A check for schemathesis: an error has one of the codes that its operation declares.

The command line of schemathesis loads this module by the variable SCHEMATHESIS_HOOKS.
"""

from typing import Any

import schemathesis


@schemathesis.check
def declared_error_code(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Fail if the code of a problem document is not among `x-codes` of its response."""
    declared = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    codes = declared.get("x-codes")
    if codes is not None:
        code = response.json()["code"]
        assert code in codes, f"{response.status_code} {code} is not declared: {codes}"
