"""A part of the client is there only once the client was entered."""

import pytest

from tradedad_client.entered import entered


def test_a_part_that_is_there_is_returned_and_a_missing_one_named() -> None:
    assert entered("part") == "part"
    with pytest.raises(RuntimeError, match="within `async with`"):
        entered(None)
