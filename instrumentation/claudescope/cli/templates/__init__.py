"""The files that `claudescope init` adds to a repository: a spec, a CI pipeline and Terraform.

common   the spec, a README, Terraform
github   a workflow and the action that it uses
gitlab   jobs to include
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

__all__ = ["CiSystem", "template_files"]

CiSystem = Literal["github", "gitlab", "none"]
"""The CI system of the pipeline."""


def template_files(ci: CiSystem) -> Mapping[Path, str]:
    """Return the files for a repository, by path.

    Args:
        ci: The CI system; `none` for no pipeline.
    """
    folders = [Path(__file__).parent / name for name in ("common", ci)]
    return {
        file.relative_to(folder): file.read_text(encoding="utf-8")
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
