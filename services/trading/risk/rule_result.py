"""Builds the results of rules."""

from decimal import Decimal
from typing import Final

from shared.contracts.trading_replies import RuleResult

_MAX_PLAIN_DIGITS: Final = 40
"""On each side of the point: a price of a request may have an exponent of 18 digits."""


def passed(rule: str, *, limit: object = None, value: object = None) -> RuleResult:
    """The order keeps the rule."""
    return RuleResult(rule=rule, passed=True, limit=_text(limit), value=_text(value))


def refused(rule: str, detail: str, *, limit: object = None, value: object = None) -> RuleResult:
    """The order breaks the rule; `detail` states rule, limit and value in one sentence."""
    return RuleResult(
        rule=rule, passed=False, detail=detail, limit=_text(limit), value=_text(value)
    )


def result(
    rule: str, is_kept: bool, detail: str, *, limit: object = None, value: object = None
) -> RuleResult:
    """`passed` or `refused`; `detail` is used if the rule is broken."""
    if is_kept:
        return passed(rule, limit=limit, value=value)
    return refused(rule, detail, limit=limit, value=value)


def plain(number: Decimal) -> str:
    """The digits of a number without an exponent, such as 10000000 and not 1E+7.

    A number that no price is near is rounded and has an exponent.
    """
    if not number.is_finite():
        return format(number, "f")[:_MAX_PLAIN_DIGITS]
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    is_short = number.adjusted() <= _MAX_PLAIN_DIGITS and exponent >= -_MAX_PLAIN_DIGITS
    return format(number, "f" if is_short else ".6E")


def _text(thing: object) -> str | None:
    if thing is None:
        return None
    return plain(thing) if isinstance(thing, Decimal) else str(thing)
