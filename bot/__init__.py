"""The shell: channels, schedule, delivery, command line, web."""
