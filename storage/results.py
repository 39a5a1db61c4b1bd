"""What a closed wave said, as it was shown: pictures, figures, and whom we still have to tell."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from storage.base import Part
from storage.records import write_instant

__all__ = ["Results"]


class Results(Part):
    """The verbs about results."""

    def keep_picture(self, content: bytes, *, at: datetime) -> str:
        """Keep a picture and give the id under which it is kept; see the contract."""
        picture_id = hashlib.blake2b(content, digest_size=12).hexdigest()
        self._run(
            "keep_picture",
            picture_id=picture_id,
            content=base64.b64encode(content).decode("ascii"),
            at=write_instant(at),
        )
        return picture_id

    def picture(self, picture_id: str) -> bytes | None:
        """Give a picture; None when there is none of this id."""
        row = self._one("picture", picture_id=picture_id)
        return None if row is None else base64.b64decode(row["content"])
