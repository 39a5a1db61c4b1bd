"""What belongs to one engine, or to the machinery round the store."""
