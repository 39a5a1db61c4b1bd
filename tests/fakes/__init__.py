"""Fake platforms on loopback that the real client libraries talk to.

* `telegram.FakeTelegram`: a Bot API server for python-telegram-bot.
* `slack.FakeSlack`: Web API and Socket Mode for slack-bolt.
* `crowd.Crowd`: scripted people who hold whole conversations on either.
* `faults.Faults`: what goes wrong, and how often (`fake.faults`).

Each fake is an async context manager, lives as long as the test wants (a bot in another
process may die and come back meanwhile), and may be run by itself:

    python -m tests.fakes.telegram --port 8081
    python -m tests.fakes.slack --chat

`--chat` lets somebody type as a person in the terminal. `control.py` lists the HTTP
addresses under `/control/` that do the same from another process.
"""
