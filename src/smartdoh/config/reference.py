"""The tables of docs/configuration.md, rendered from the schema.

`python -m smartdoh.config.reference docs/configuration.md` writes them anew into the page.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from smartdoh.config.schema import TABLES, Kind, Schema

_BLOCK = re.compile(r"(<!-- keys of ([^ ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def refresh(page: str) -> str:
    """The page with the content of each `<!-- keys of NAME -->` to `<!-- end -->` rendered anew."""
    return _BLOCK.sub(lambda block: block[1] + render(TABLES[block[2]]) + block[3], page)


def tables_of(page: str) -> list[str]:
    """The names of the tables that the page has."""
    return [block[2] for block in _BLOCK.finditer(page)]


def render(schema: type[Schema]) -> str:
    """What the table is for, then a row for each key."""
    about = " ".join((schema.__doc__ or "").split())
    rows = [_row(name, field) for name, field in schema.model_fields.items()]
    head = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([about, "", *head, *rows]) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    cells = [f"`{field.alias or name}`", _default(field), "; ".join(_allowed(field)), field.description or ""]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None:
        return ""
    return f"`{json.dumps(field.default)}`"


def _allowed(field: FieldInfo) -> list[str]:
    kinds = [kind.allowed for kind in field.metadata if isinstance(kind, Kind)]
    return kinds or list(dict.fromkeys(_of_type(field.annotation)))


def _of_type(annotation: Any) -> Iterator[str]:
    if annotation is bool:
        yield "`true`, `false`"
    elif get_origin(annotation) is Literal:
        yield ", ".join(f'`"{value}"`' for value in get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, Schema):
        yield "tables `{ }`, below"
    elif isinstance(annotation, Kind):
        yield annotation.allowed
    elif get_origin(annotation) is list:
        for item in get_args(annotation):
            yield from (f"a list of: {text}" for text in _of_type(item))
    else:
        for part in getattr(annotation, "__metadata__", get_args(annotation)):
            yield from _of_type(part)


def main() -> None:
    """Refreshes the page that the command line names."""
    page = Path(sys.argv[1])
    page.write_text(refresh(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
