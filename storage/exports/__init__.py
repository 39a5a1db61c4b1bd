"""Exports: what was said and how it was coded, in files for research."""

from __future__ import annotations

from storage.exports.export import FORMATS, Exported, ExportedFile, Progress, write_export
from storage.exports.source import Source

__all__ = ["FORMATS", "Exported", "ExportedFile", "Progress", "Source", "write_export"]
