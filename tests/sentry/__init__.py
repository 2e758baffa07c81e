"""Sentry support, with Sentry's own SDK in several versions and a real server."""

OWN_PROCESS = (
    "test_as_code.py",
    "test_background.py",
    "test_bugsink.py",
    "test_events.py",
    "test_exception_search.py",
    "test_fork.py",
    "test_frameworks.py",
    "test_rate_limiter.py",
    "test_once.py",
    "test_policy.py",
    "test_private_texts.py",
    "test_scrubbing.py",
    "test_secrets.py",
    "test_sent.py",
    "test_telemetry.py",
)
"""The tests that initialise Sentry. `test_versions.py` runs them."""
