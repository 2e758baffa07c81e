"""Suppressed."""
import contextlib
import anthropic


def warm():
    with contextlib.suppress(anthropic.APIError):
        anthropic.Anthropic(timeout=9).messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync swallowed ! swallowed-error
