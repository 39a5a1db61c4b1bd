"""What pydantic found, said as what was expected.

What lives here: sentences that hold for any file. What must not: those about one kind of
file (``loader.py``, the shell's configuration).
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from pydantic import BaseModel
from pydantic_core import ErrorDetails

__all__ = ["is_echo", "keys_of", "plain", "unknown_key"]

_PLAIN = {
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "finite_number": "expected a number",
    "float_parsing": "expected a number",
    "float_type": "expected a number",
    "int_from_float": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "missing": "expected this key; it is missing",
    "string_type": "expected text in quotes",
    "tuple_type": "expected a list [ ... ]",
}


def keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Give the keys that a table of this model may have, as files name them."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def unknown_key(key: str, known: Collection[str]) -> str:
    """Say that a key is not known, and which one is nearest."""
    near = get_close_matches(key, known, n=1)
    if near:
        return f"expected a known key; did you mean {near[0]}?"
    return f"expected a known key: {', '.join(known)}"


def is_echo(found: ErrorDetails) -> bool:
    """Whether a list is called too short only since its elements were found wrong."""
    return found["type"] == "too_short" and len(found["input"]) > found["ctx"]["actual_length"]


def plain(found: ErrorDetails) -> str:
    """Say what was expected, in a sentence without the value that was found."""
    context = found.get("ctx", {})
    match found["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return f"expected {str(context['expected']).replace(chr(39), chr(34))}"
        case "string_too_long":
            return f"expected at most {context['max_length']} characters"
        case "too_short":
            return f"expected at least {context['min_length']} of them"
        case "too_long":
            return f"expected at most {context['max_length']} of them"
        case "greater_than_equal":
            return f"expected {context['ge']} or more"
        case "less_than_equal":
            return f"expected {context['le']} or less"
        case "greater_than":
            return f"expected more than {context['gt']}"
        case kind:
            return _PLAIN.get(kind, f"expected something else: {found['msg'].lower()}")
