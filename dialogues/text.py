"""Words in one or several languages.

What lives here: the value for a text that a survey file gives as a string or as a table
of languages. What must not: the bot's own sentences (``messages.py``).
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, GetJsonSchemaHandler, RootModel, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = ["ANY_LANGUAGE", "Text"]

#: The key under which a text lies that was given without a language.
ANY_LANGUAGE = "*"


class Text(RootModel[dict[str, str]]):
    """A text by language; a plain string serves every language."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {ANY_LANGUAGE: value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        languages = {"type": "object", "additionalProperties": {"type": "string"}}
        return {"anyOf": [{"type": "string"}, languages]}

    def say(self, language: str, default: str) -> str:
        """Give the words in this language, else in the default one, else in any."""
        words = self.root
        for key in (language, default, ANY_LANGUAGE):
            if key in words:
                return words[key]
        return next(iter(words.values()), "")
