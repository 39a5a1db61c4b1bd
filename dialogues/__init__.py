"""The field's words and the conversation engine: pure, standard library and pydantic only."""
