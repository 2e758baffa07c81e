"""PyInstaller's hook for claudescope: metadata of packages, and modules that are imported by their names."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError

from PyInstaller.utils.hooks import (  # type: ignore[import-untyped,import-not-found,unused-ignore] # where it runs
    collect_data_files,
    copy_metadata,
)

datas = collect_data_files("claudescope")
# The SDK of OpenTelemetry finds its context and its exporters by entry points, which are metadata.
for _package in ("claudescope", "genai-prices", "opentelemetry-api", "opentelemetry-sdk"):
    with suppress(PackageNotFoundError):
        datas += copy_metadata(_package)

hiddenimports = ["opentelemetry.context.contextvars_context"]
