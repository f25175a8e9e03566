"""The table of a quote's fields in docs/stream.md is generated from its class."""

import re

import msgspec

from docgen.stream_page import STREAM_PAGE, stream_page
from shared.contracts.messages import Quote


def test_the_page_has_a_row_for_each_field_in_order() -> None:
    section = stream_page().split("## A quote\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
    assert [name for name, _ in rows] == [field.name for field in msgspec.structs.fields(Quote)]
    assert all(meaning.endswith(".") for _, meaning in rows)


def test_the_rest_of_the_page_stays() -> None:
    before, after = (
        page.split("\n## A quote\n") for page in (STREAM_PAGE.read_text(), stream_page())
    )
    assert before[0] == after[0]
    assert before[1].split("\n## ", 1)[1] == after[1].split("\n## ", 1)[1]
