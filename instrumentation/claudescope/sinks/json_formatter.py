"""A logging formatter that writes one JSON object per line, with every field of a call, through python-json-logger.

logging.config.dictConfig(
    {
        "version": 1,
        "formatters": {"json": {"()": "claudescope.sinks.json_formatter.formatter"}},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stdout"], "level": "INFO"},
    }
)
"""

from __future__ import annotations

import logging
from typing import Any

from claudescope._internal.exceptions import require

__all__ = ["formatter"]


def formatter(**options: Any) -> logging.Formatter:
    """A formatter that writes a record as JSON: `time`, `level`, `logger`, `message`, and the record's own fields.

    Args:
        options: Those of `pythonjsonlogger.json.JsonFormatter`, which override the defaults.

    Raises:
        MissingExtraError: python-json-logger is not installed.
    """
    library = require("pythonjsonlogger.json", extra="logs", feature="claudescope.sinks.json_formatter.formatter")
    defaults: dict[str, Any] = {
        "fmt": ["asctime", "levelname", "name", "message"],
        "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        "datefmt": "%Y-%m-%dT%H:%M:%S%z",
    }
    made: logging.Formatter = library.JsonFormatter(**{**defaults, **options})
    return made
