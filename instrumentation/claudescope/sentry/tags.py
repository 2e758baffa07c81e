"""What the events of failed calls are found by, on Sentry's side too."""

from __future__ import annotations

from typing import Final

__all__ = ["ERROR_TYPE_TAG", "FINGERPRINT", "MODEL_TAG", "RETRYABLE_TAG"]

FINGERPRINT: Final = "claude-api-error"
"""What the fingerprint of every failed call starts with; the kind follows."""

ERROR_TYPE_TAG: Final = "claude.error_type"
MODEL_TAG: Final = "claude.model"
RETRYABLE_TAG: Final = "claude.retryable"
