"""Draws screenshots of the dashboards for the documentation."""
