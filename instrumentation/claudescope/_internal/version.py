"""The installed version of claudescope."""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Final

__all__ = ["VERSION"]


def _installed() -> str:
    try:
        return version("claudescope")
    except PackageNotFoundError:
        logging.getLogger("claudescope").warning(
            "claudescope: this app was bundled without claudescope's package metadata, so its telemetry has the "
            "version 'unknown'. With PyInstaller, add --copy-metadata claudescope"
        )
        return "unknown"


VERSION: Final = _installed()
