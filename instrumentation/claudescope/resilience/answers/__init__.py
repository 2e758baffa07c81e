"""Answers that no target gave: of the cache, static, of a function, or of a call under way with the same key."""
