"""Docstrings of attributes are read from the source of their class."""

import enum

from shared.web.attribute_docs import attribute_docs, inherited_attribute_docs


class Base:
    """A class with documented attributes."""

    name: str
    """What it is
    called."""
    size: int = 0
    bare: int
    """Without a value."""


class Derived(Base):
    """A class that documents an attribute anew."""

    size: int = 1
    """Its size."""
    name: str
    """Another text."""


class Colour(enum.Enum):
    RED = "red"
    """Like blood."""


def test_each_attribute_has_its_docstring_in_one_line() -> None:
    assert attribute_docs(Base) == {"name": "What it is called.", "bare": "Without a value."}
    assert attribute_docs(Colour) == {"RED": "Like blood."}


def test_a_derived_class_adds_to_its_base_and_replaces_its_texts() -> None:
    assert attribute_docs(Derived) == {"size": "Its size.", "name": "Another text."}
    assert inherited_attribute_docs(Derived) == {
        "name": "Another text.", "bare": "Without a value.", "size": "Its size.",
    }  # fmt: skip
