"""Tells PyInstaller what a bundled app needs of claudescope, through its entry point `pyinstaller40`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["hook_dirs"]


def hook_dirs() -> list[str]:
    """The folders that have hooks."""
    return [str(Path(__file__).parent)]
