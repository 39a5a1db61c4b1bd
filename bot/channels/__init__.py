"""One module a channel: raw update to inbound, prompt to payload, and nothing else."""
