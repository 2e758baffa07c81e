"""Decides what a protected call does next. Without I/O: clock, randomness and state are injected."""
