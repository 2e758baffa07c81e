"""What `claudescope init` writes into a repository: a spec, a pipeline, and folders for what is generated.

common   the spec, what the folders are, Terraform
github   a workflow and the action that it uses
gitlab   jobs to include
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

__all__ = ["CiSystem", "starter_files"]

CiSystem = Literal["github", "gitlab", "none"]
"""Whose pipeline is written."""


def starter_files(ci: CiSystem) -> Mapping[Path, str]:
    """The files for a repository, by their path in it.

    Args:
        ci: The system that runs the pipeline; with `none` there is no pipeline.
    """
    folders = [Path(__file__).parent / name for name in ("common", ci)]
    return {
        file.relative_to(folder): file.read_text(encoding="utf-8")
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
