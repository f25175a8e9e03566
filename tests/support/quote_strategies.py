"""Random quotes, from the types and ranges of the fields of the contract."""

from typing import Any, Final, get_args

import msgspec
from hypothesis import strategies as st

from shared.contracts.messages import Number, Price, Quantity, Quote, TimeMs

_OF_TYPE: Final[dict[Any, st.SearchStrategy[Any]]] = {
    str: st.text(st.characters(exclude_categories=["Cs"])),
    bool: st.booleans(),
    Number: st.integers(0, 2**62),
    TimeMs: st.integers(0, 10**14 - 1),
    Price: st.floats(0, 1e9, exclude_min=True, exclude_max=True),
    Quantity: st.integers(0, 2**53 - 1),
}


def _of_field(kind: Any) -> st.SearchStrategy[Any]:
    if kind in _OF_TYPE:
        return _OF_TYPE[kind]
    known, none = get_args(kind)
    assert none is type(None)
    return st.none() | _OF_TYPE[known]


quote_fields: Final = st.fixed_dictionaries(
    {field.name: _of_field(field.type) for field in msgspec.structs.fields(Quote)}
)
"""Values of all fields, by name; None is unknown."""
