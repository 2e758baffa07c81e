"""Of rate limits, what was seen last is what is known."""

from __future__ import annotations

from claudescope.probe.headers import read_headers
from claudescope.schema.record import RateLimit
from claudescope.sinks.rate_limits import newer


def test_a_type_that_was_not_seen_again_is_kept() -> None:
    """A response that speaks of some limits says nothing of the others."""
    known = newer(None, {"requests": RateLimit(50, 49), "tokens": RateLimit(1000, 900)})
    assert newer(known, {"requests": RateLimit(50, 48)}) == {
        "requests": RateLimit(50, 48),
        "tokens": RateLimit(1000, 900),
    }


def test_the_same_types_are_taken_over_unread() -> None:
    """Headers that replace all that is known are not looked into."""
    first = read_headers([(b"anthropic-ratelimit-tokens-remaining", b"7")]).rate_limits
    second = read_headers([(b"anthropic-ratelimit-tokens-remaining", b"6")]).rate_limits
    assert second is not None
    assert newer(first, second) is second
    assert newer(first, {"requests": RateLimit(50, 48)}) == {
        "tokens": RateLimit(None, 7),
        "requests": RateLimit(50, 48),
    }
