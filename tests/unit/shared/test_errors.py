from collections import Counter

import pytest

from shared import errors
from shared.errors import Code, ConfigError, FeedError, Overloaded, RequestError, StaleEpoch


def subclasses(kind: type[Exception]) -> list[type[Exception]]:
    return [found for sub in kind.__subclasses__() for found in (sub, *subclasses(sub))]


def ours(kind: type[Exception]) -> list[type[Exception]]:
    return [found for found in subclasses(kind) if found.__module__ == errors.__name__]


REQUEST_ERRORS = [kind for kind in ours(RequestError) if issubclass(kind, RequestError)]


@pytest.mark.parametrize("kind", REQUEST_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_that_a_caller_is_told_has_a_code_and_an_error_status(
    kind: type[RequestError],
) -> None:
    assert isinstance(kind.code, Code)
    assert kind.code is not Code.INTERNAL
    assert 400 <= kind.status <= 599
    error = kind("the reason")
    assert (str(error), error.detail, error.field) == ("the reason", "the reason", None)


def test_no_two_errors_share_a_code() -> None:
    counts = Counter(kind.code for kind in REQUEST_ERRORS)
    assert [code for code, count in counts.items() if count > 1] == []


def test_whoever_is_not_let_in_is_told_401_for_whatever_reason() -> None:
    refusals = [kind for kind in REQUEST_ERRORS if issubclass(kind, errors.Unauthenticated)]
    assert {kind.code for kind in refusals} == {
        Code.UNAUTHENTICATED,
        Code.TOKEN_EXPIRED,
        Code.REVOKED,
        Code.BAD_CREDENTIALS,
    }
    assert {kind.status for kind in refusals} == {401}


def test_codes_are_stable_words_named_like_their_constant() -> None:
    assert all(code.value == code.name.lower() for code in Code)


def test_every_error_is_in_the_drawn_tree() -> None:
    drawn = errors.__doc__ or ""
    missing = [kind.__name__ for kind in ours(errors.TradeDadError) if kind.__name__ not in drawn]
    assert missing == []


def test_errors_carry_what_their_handlers_need() -> None:
    assert ConfigError(["one", "two"]).problems == ["one", "two"]
    assert Overloaded("full", retry_after_secs=7).retry_after_secs == 7
    stale = StaleEpoch(ours=3, theirs=5)
    assert (stale.ours, stale.theirs) == (3, 5)
    assert "3" in str(stale)
    assert "5" in str(stale)
    assert (FeedError("silent").cause, str(FeedError("refused", "410"))) == (
        "silent",
        "refused: 410",
    )


@pytest.mark.parametrize("kind", REQUEST_ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_that_another_service_answered_with_is_the_same_here(
    kind: type[RequestError],
) -> None:
    error = errors.answered_error(kind.code, "the reason", None)
    assert (type(error), error.detail) == (kind, "the reason")
