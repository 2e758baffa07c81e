"""What the events of failed calls are found by, on Sentry's side too."""

from __future__ import annotations

from typing import Final

__all__ = ["FINGERPRINT", "KIND_TAG", "MODEL_TAG", "RETRYABLE_TAG"]

FINGERPRINT: Final = "claude-api-error"
"""What the fingerprint of every failed call starts with; the kind follows."""

KIND_TAG: Final = "claude.error_kind"
MODEL_TAG: Final = "claude.model"
RETRYABLE_TAG: Final = "claude.retryable"
