"""Python imports this first in every process of a command under `claudescope run`, as its folder leads PYTHONPATH.

Whatever the app has as `sitecustomize` runs as if this were not here. claudescope itself is imported only once the app
imports the `anthropic` SDK: a process that never does pays next to nothing. Nothing here raises into the app.
"""

import os
import sys

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
    """Finds the SDK as Python would have, and starts claudescope once it is imported."""

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        if name != "anthropic":
            return None
        spec = None
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            find = getattr(finder, "find_spec", None)
            spec = find and find(name, path, target)
            if spec is not None:
                break
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self)
        return spec


class _Loader:
    """Stands in for the SDK's loader while that runs, and is gone afterwards."""

    def __init__(self, loader, finder):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204
        self._loader = loader
        self._finder = finder

    def create_module(self, spec):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        return self._loader.create_module(spec)

    def exec_module(self, module):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        try:
            from claudescope.run.start import start

            start()
        except Exception:  # noqa: BLE001 - the app runs on, unseen, and the report says that nobody was seen
            if os.environ.get("CLAUDESCOPE_DEBUG"):
                import traceback

                traceback.print_exc()


def _arm() -> None:
    root, _, address = os.environ.get("_CLAUDESCOPE_RUN", "").partition(":")
    if not address:
        return
    sys.meta_path.insert(0, _WhenImported())
    if root == str(os.getpid()):
        import atexit

        atexit.register(_wait_for_report, address, os.getpid())


def _wait_for_report(address: str, pid: int) -> None:
    """Let the report be printed before the command ends: whoever waits for the command then has it."""
    if pid != os.getpid():
        return
    import socket

    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(address)
            link.sendall(b'{"leaving": true}\n')
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            link.recv(1)
    except BaseException:  # noqa: BLE001, S110 - a second Ctrl-C ends the wait; nothing here is the app's
        pass


_arm()
_chain()
