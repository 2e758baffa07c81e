"""Sentry support, with Sentry's own SDK in several versions and a real server."""

OWN_PROCESS = (
    "test_as_code.py",
    "test_background.py",
    "test_bugsink.py",
    "test_events.py",
    "test_finding.py",
    "test_flood.py",
    "test_once.py",
    "test_privacy.py",
)
"""The tests that initialise Sentry. `test_versions.py` runs them."""
