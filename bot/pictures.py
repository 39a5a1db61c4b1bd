"""Pictures on their way to a channel: read from the store once, for a thousand sends."""

from __future__ import annotations

from operator import methodcaller

from dialogues.prompts import Picture
from storage.writer import Writer

__all__ = ["Pictures"]

#: Pictures kept at hand: those of the waves that closed last, in two languages.
_MOST = 8


class Pictures:
    """Gives the content of pictures.

    Args:
        writer: The store's own thread.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._at_hand: dict[str, bytes] = {}

    async def __call__(self, picture: Picture) -> bytes | None:
        """Give the content of a picture; None when it is not kept (any more).

        Raises:
            StoreError: It could not be read.
        """
        content = self._at_hand.get(picture.picture_id)
        if content is None:
            content = await self._writer.run(methodcaller("picture", picture.picture_id))
            if content is not None:
                while len(self._at_hand) >= _MOST:
                    del self._at_hand[next(iter(self._at_hand))]
                self._at_hand[picture.picture_id] = content
        return content
