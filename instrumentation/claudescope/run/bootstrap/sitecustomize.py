"""Python imports this module at the start of every process under `claudescope run`, as its folder is on PYTHONPATH.

The app's own `sitecustomize` is run as well. claudescope itself is imported only when the app imports the `anthropic`
SDK, so other processes start as fast as before. Nothing here raises into the app.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes longer than all of this


def _chain() -> None:
    """Run the app's own sitecustomize, under its own name."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


class _WhenImported:
    """Finds the SDK with Python's other finders, and starts claudescope once it is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Implement Python's finder protocol."""
        if name != "anthropic":
            return None
        spec: ModuleSpec | None = None
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            find: Any = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                break
        if spec is not None and spec.loader is not None:
            loader: Any = _Loader(spec.loader, self)
            spec.loader = loader
        return spec


class _Loader:
    """Wraps the SDK's loader while it runs, and is removed afterwards."""

    def __init__(self, loader: Any, finder: Any) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Call the SDK's loader."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Call the SDK's loader, then start claudescope."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        try:
            from claudescope.run.child import start

            start()
        except Exception:
            import logging

            logging.getLogger("claudescope").debug(
                "claudescope: could not start; the app is not affected", exc_info=True
            )


def _install() -> None:
    root, _, address = os.environ.get("_CLAUDESCOPE_RUN", "").partition(":")
    if not address:
        return
    sys.meta_path.insert(0, _WhenImported())
    if root == str(os.getpid()):
        import atexit

        atexit.register(_wait_for_report, address, os.getpid())


def _wait_for_report(address: str, pid: int) -> None:
    """Wait until the report is printed, so that it is there when the command ends."""
    if pid != os.getpid():
        return
    import socket

    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(address)
            connection.sendall(b'{"exiting": true}\n')
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            connection.recv(1)
    except BaseException:  # noqa: BLE001, S110 - a second Ctrl-C ends the wait; nothing here may raise into the app
        pass


_install()
_chain()
