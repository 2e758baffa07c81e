"""The policy: its file, its defaults, and what holds for one call."""
