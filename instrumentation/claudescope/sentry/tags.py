"""The names of tags and fingerprints of failed calls, for the app side and for Sentry's server."""

from __future__ import annotations

from typing import Final

__all__ = ["ERROR_TYPE_TAG", "FINGERPRINT", "MODEL_TAG", "RETRYABLE_TAG"]

FINGERPRINT: Final = "claude-api-error"
"""The first part of the fingerprint of every failed call. The error type follows."""

ERROR_TYPE_TAG: Final = "claude.error_type"
MODEL_TAG: Final = "claude.model"
RETRYABLE_TAG: Final = "claude.retryable"
