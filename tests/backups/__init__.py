"""Backups, bringing them back, and moving to another engine."""
