"""Rules about making a call again."""

from __future__ import annotations

from collections.abc import Iterator

from claudescope.audit.case import Case
from claudescope.audit.rules.rule import Hit

__all__ = ["ignores_retry_after", "nested_retries", "no_backoff", "retry_non_retryable"]

_RETRYING = frozenset({"sdk", "langchain", "pydantic-ai", "llama-index", "instructor", "openai"})
"""Libraries that retry by themselves unless told otherwise."""


def retry_non_retryable(case: Case) -> Iterator[Hit]:
    """Report retries of errors that come back every time, such as a bad request."""
    for retry in case.retries:
        if "client" in retry.kinds:
            yield Hit(
                "retry-non-retryable",
                case.site.line,
                "high",
                f"{retry.by.capitalize()} repeats {case.site.name} after any error, bad requests"
                " and refused keys included."
                " Repeat only rate limits, server errors and connection errors.",
            )
            return


def nested_retries(case: Case) -> Iterator[Hit]:
    """Report retries around a client that retries by itself."""
    if case.site.library not in _RETRYING or not case.site.options.retries:
        return
    for retry in case.retries:
        if not retry.is_job:
            yield Hit(
                "nested-retries",
                case.site.line,
                "high" if case.site.options.seen else "medium",
                f"{retry.by.capitalize()} repeats {case.site.name}, and its client retries"
                f" {case.site.options.retries} times by itself:"
                " the attempts multiply. Set max_retries=0 on the client, or leave retries to it.",
            )
            return


def no_backoff(case: Case) -> Iterator[Hit]:
    """Report retries without any wait."""
    for retry in case.retries:
        if retry.wait == "none" and not retry.is_job:
            yield Hit(
                "no-backoff",
                case.site.line,
                "high",
                f"{retry.by.capitalize()} repeats {case.site.name} without a wait. Wait longer"
                " after each attempt, with jitter.",
            )
            return


def ignores_retry_after(case: Case) -> Iterator[Hit]:
    """Report own waits after a rate limit that do not follow the API's `retry-after`."""
    retries = case.site.options.retries
    if not case.site.is_raw and (retries is None or retries > 0 or case.site.library not in _RETRYING):
        return
    for retry in case.retries:
        if "rate" in retry.kinds and retry.wait != "none" and not retry.reads_header:
            yield Hit(
                "ignores-retry-after",
                case.site.line,
                "medium",
                f"{retry.by.capitalize()} waits after a rate limit of {case.site.name} without"
                " reading the retry-after header."
                " Wait at least as long as it says.",
            )
            return
