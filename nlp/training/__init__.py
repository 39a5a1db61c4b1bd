"""Training: what makes a model directory, and never runs when answers are tagged."""
