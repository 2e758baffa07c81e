"""Streams that break: what the app has of an answer, how another one carries it on, and where it is kept."""
