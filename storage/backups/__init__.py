"""Backups: a copy of everything in one file, read back before it counts, and brought back.

manifest.py   what a backup says of itself
place.py      the file: made beside its place, synced, moved there whole; old ones removed
database.py   a backup that is a SQLite database
portable.py   a backup that any engine can bring back: lines of JSON in a zip
dump.py       a backup by pg_dump, PostgreSQL's own program
making.py     making one, of either engine
restoring.py  bringing one back into an empty database, or in place of another
carrying.py   what must not be undone by that: that people asked to be forgotten
"""
