"""Text to codings."""
