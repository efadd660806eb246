"""``docs/schema.json``, held against real answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parents[1] / "docs" / "schema.json"


def check(name: str, answer: Any) -> None:
    """Check an answer against one of the definitions.

    Raises:
        jsonschema.ValidationError: if it is not what the document says.
    """
    document = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    checker = Draft202012Validator.FORMAT_CHECKER
    schema = {"$ref": f"#/$defs/{name}", "$defs": document["$defs"]}
    Draft202012Validator(schema, format_checker=checker).validate(answer)
