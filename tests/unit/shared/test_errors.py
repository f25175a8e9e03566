"""The exceptions of the tree have distinct codes, fitting statuses and the data they promise."""

from collections import Counter

import pytest

from shared import errors
from shared.errors import (
    Code,
    ConfigError,
    FeedError,
    Overloaded,
    RequestError,
    RetryLater,
    StaleEpoch,
)


def subclasses(base: type[Exception]) -> list[type[Exception]]:
    return [cls for sub in base.__subclasses__() for cls in (sub, *subclasses(sub))]


def in_module(base: type[Exception]) -> list[type[Exception]]:
    return [cls for cls in subclasses(base) if cls.__module__ == errors.__name__]


# RetryLater is only a base class.
REQUEST_ERRORS = [
    cls for cls in in_module(RequestError) if issubclass(cls, RequestError) and cls != RetryLater
]
each_request_error = pytest.mark.parametrize("cls", REQUEST_ERRORS, ids=lambda cls: cls.__name__)


@each_request_error
def test_every_request_error_has_a_code_and_an_error_status(cls: type[RequestError]) -> None:
    assert isinstance(cls.code, Code)
    assert cls.code is not Code.INTERNAL
    assert 400 <= cls.status <= 599
    error = cls("the reason")
    assert (str(error), error.detail, error.field) == ("the reason", "the reason", None)


def test_no_two_errors_share_a_code() -> None:
    counts = Counter(cls.code for cls in REQUEST_ERRORS)
    assert [code for code, count in counts.items() if count > 1] == []


def test_every_authentication_error_has_status_401() -> None:
    refusals = [cls for cls in REQUEST_ERRORS if issubclass(cls, errors.Unauthenticated)]
    assert {cls.code for cls in refusals} == {
        Code.UNAUTHENTICATED,
        Code.TOKEN_EXPIRED,
        Code.REVOKED,
        Code.BAD_CREDENTIALS,
    }
    assert {cls.status for cls in refusals} == {401}


def test_the_value_of_a_code_is_its_name_in_lower_case() -> None:
    assert all(code.value == code.name.lower() for code in Code)


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    tree = errors.__doc__ or ""
    missing = [cls.__name__ for cls in in_module(errors.TradeDadError) if cls.__name__ not in tree]
    assert missing == []


def test_errors_carry_the_data_that_their_handlers_need() -> None:
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


@each_request_error
def test_an_error_of_another_service_becomes_the_same_exception(cls: type[RequestError]) -> None:
    error = errors.error_from_reply(cls.code, "the reason", "quantity")
    assert (type(error), error.detail, error.field) == (cls, "the reason", "quantity")


def test_an_internal_error_of_another_service_becomes_the_base_class() -> None:
    error = errors.error_from_reply(Code.INTERNAL, "the reason")
    assert type(error) is RequestError
