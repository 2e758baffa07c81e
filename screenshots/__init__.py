"""Draws the boards with data in them, for the documentation."""
