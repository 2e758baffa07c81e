"""`python -m claudescope`, for where the command is not on the path."""

from __future__ import annotations

from claudescope.cli import main

main()
