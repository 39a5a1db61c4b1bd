"""Channels: recorded JSON in and out, and whole channels against the fake platforms."""
