"""Time: when a person is written to, and when not.

What lives here: pure reckoning with local days and hours. What must not: the store, the
clock itself (``now`` comes as an argument), or words.
"""
