"""``make bench``: how fast it answers, tags, exports and starts, beside the usual alternative.

    python -m tests.bench [--people N] [--quick] [--only NAME] [--folder DIR]

One JSON line a measure on standard output, a summary for people on standard error. What is
measured and what the figures mean: docs/benchmarks.md.
"""
