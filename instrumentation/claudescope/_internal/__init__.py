"""Helpers that every part of claudescope shares. Not a public interface."""
