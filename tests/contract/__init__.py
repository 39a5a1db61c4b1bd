"""What every engine of the store has to keep; written once."""
