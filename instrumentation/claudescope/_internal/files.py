"""Writes files so that nobody ever reads half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from claudescope._internal.exceptions import BadInputError

__all__ = ["write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Replace the file at `path` with `text`, in one step: readers see the old file or the new one.

    Args:
        path: The file. Its folder must exist.
        text: The whole new content.

    Raises:
        BadInputError: The file can't be written. The old one, if any, is still there.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes it private; a file that replaces one keeps what its readers could read.
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
