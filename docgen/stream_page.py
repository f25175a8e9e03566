"""Writes the table of a quote's fields into docs/stream.md, from the message's class."""

import re
from typing import Final

import msgspec

from embedded.daemons import ROOT
from shared.contracts.messages import Quote
from shared.web.attribute_docs import inherited_attribute_docs

STREAM_PAGE: Final = ROOT / "docs" / "stream.md"
_TABLE: Final = re.compile(
    r"(?<=<!-- fields of a quote: `make docs` writes them -->\n).*?(?=<!-- end -->)", re.DOTALL
)


def stream_page() -> str:
    """Return the page with its present table replaced. Raises ValueError if there is none."""
    page, count = _TABLE.subn(lambda _: _quote_fields(), STREAM_PAGE.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{STREAM_PAGE} has {count} tables of a quote's fields")
    return page


def _quote_fields() -> str:
    docs = inherited_attribute_docs(Quote)
    rows = [f"| `{field.name}` | {docs[field.name]} |\n" for field in msgspec.structs.fields(Quote)]
    return "".join(["\n| field | meaning |\n|---|---|\n", *rows, "\n"])
