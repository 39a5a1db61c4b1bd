"""The store, and what is read out of it."""
