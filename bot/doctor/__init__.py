"""Finding trouble: every check looks, changes nothing, and says what to do.

finding.py    what a check comes to
machine.py    this computer: configuration, time zones, disk, the tagger
sqlite.py     the database, where that is a SQLite file
postgres.py   the database, where that is on PostgreSQL
work.py       what waits: messages, answers to tag, waves, the next opening
platforms.py  Telegram and Slack: tokens, rights, webhooks, and the clock
rounds.py     all of it, one after another
"""
