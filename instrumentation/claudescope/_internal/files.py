"""Writes files atomically."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from claudescope._internal.exceptions import BadInputError

__all__ = ["write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Replace the content of a file in one step: readers see the old content or the new.

    Args:
        path: The file. Its folder must exist.
        text: The whole new content.

    Raises:
        BadInputError: The file can't be written. The old file, if there is one, is unchanged.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes a private file; keep the permissions of the file that it replaces.
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadInputError(
            f"{path}: can't be written: {error.strerror}. Choose a file in a folder you may write to"
        ) from error
