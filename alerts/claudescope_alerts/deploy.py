"""Where rules are deployed to: what a target has now, what would change, and the change itself.

All is safe to repeat: a target that has everything already is not touched. Only what is claudescope's is ever changed:
files with its header in a Prometheus folder, one namespace in a ruler.
"""

from __future__ import annotations

import contextlib
import difflib
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope_alerts.build import is_generated, yaml_text
from claudescope_alerts.formats.mimir import namespace
from claudescope_alerts.spec.model import Spec

__all__ = ["Folder", "PrometheusFolder", "Ruler", "Target", "request", "show_difference"]

_TIMEOUT: Final = 30


class Target(ABC):
    """A place that holds documents by name."""

    @abstractmethod
    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """What it should hold, from the files of a build."""

    @abstractmethod
    def current(self) -> dict[str, str]:
        """What it holds now that is claudescope's."""

    @abstractmethod
    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Make it hold what it should.

        Returns:
            Names of what changed.

        Raises:
            BadInputError: It refused, or can't be reached. A folder is then as it was before.
        """


def show_difference(target: Target, files: Mapping[str, str]) -> str:
    """What a deploy would change, as a unified diff; empty where nothing would."""
    old, new = target.current(), target.desired(files)
    lines: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, "").splitlines(keepends=True), new.get(name, "").splitlines(keepends=True)
        lines += difflib.unified_diff(before, after, f"deployed/{name}", f"new/{name}", n=1)
    return "".join(lines)


class Folder(Target):
    """The output folder of an earlier build.

    Args:
        folder: Its path.
        ours: Tells its files from somebody else's.
    """

    def __init__(self, folder: Path, ours: Callable[[Path], bool] = is_generated) -> None:
        self._folder = folder
        self._ours = ours

    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """All files."""
        return dict(files)

    def current(self) -> dict[str, str]:
        """All generated files."""
        paths = [path for path in sorted(self._folder.rglob("*")) if path.is_file() and self._ours(path)]
        return {path.relative_to(self._folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}

    def apply(self, files: Mapping[str, str]) -> list[str]:
        """A folder is written by `build`."""
        raise NotImplementedError


class PrometheusFolder(Folder):
    """A folder whose files Prometheus loads.

    Args:
        folder: Its path; it must exist.
        service: Name of the service, so that several specs share a folder.
        reload: URL of the server, which is told to load the files; None leaves that to others.
    """

    def __init__(self, folder: Path, service: str, reload: str | None = None) -> None:
        if not folder.is_dir():
            raise BadInputError(f"{folder}: there is no such folder. Expected the one in rule_files of prometheus.yml")
        super().__init__(folder)
        self._prefix = f"claudescope-{service}-"
        self._reload = reload

    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """The rule files, under names that tell whose they are."""
        return {
            self._prefix + path.removeprefix("rules/"): text
            for path, text in files.items()
            if path.startswith("rules/")
        }

    def current(self) -> dict[str, str]:
        """The rule files of this service."""
        return {name: text for name, text in super().current().items() if name.startswith(self._prefix)}

    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Write the files and reload; if Prometheus refuses them, put the old ones back and reload those."""
        old, new = self.current(), self.desired(files)
        changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        for name in changed:
            path = self._folder / name
            if path.exists() and not is_generated(path):
                raise BadInputError(f"{path}: not written by claudescope, so it is left alone. Remove or rename it")
        if not changed:
            return []
        try:
            self._put(changed, new)
            self._tell()
        except BadInputError as refused:
            self._put(changed, old)
            with contextlib.suppress(BadInputError):  # the first refusal says it all
                self._tell()
            raise BadInputError(f"{refused}. The old files are back in place") from None
        return changed

    def _put(self, names: list[str], files: Mapping[str, str]) -> None:
        for name in names:
            if name in files:
                write_atomically(self._folder / name, files[name])
            else:
                (self._folder / name).unlink(missing_ok=True)

    def _tell(self) -> None:
        if self._reload is not None:
            request("POST", self._reload.rstrip("/") + "/-/reload")


class Ruler(Target):
    """The configuration API of a ruler: Mimir's, Cortex', Grafana Cloud's
    (https://grafana.com/docs/mimir/latest/references/http-api/#ruler-rules-configuration).

    Args:
        url: Base of the API, such as `http://mimir:8080/prometheus`.
        spec: Says the namespace.
        tenant: Value of `X-Scope-OrgID`; None sends none.
        token_file: A file with a bearer token; None sends none.
    """  # noqa: D205

    def __init__(self, url: str, spec: Spec, tenant: str | None = None, token_file: Path | None = None) -> None:
        self._url = f"{url.rstrip('/')}/config/v1/rules/{urllib.parse.quote(namespace(spec), safe='')}"
        self._namespace = namespace(spec)
        self._headers = {"Content-Type": "application/yaml"}
        if tenant is not None:
            self._headers["X-Scope-OrgID"] = tenant
        if token_file is not None:
            try:
                token = token_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BadInputError(f"{token_file}: can't be read: {error.strerror}") from None
            self._headers["Authorization"] = f"Bearer {token}"

    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """The groups of the namespace."""
        return _groups(yaml.safe_load(files["mimir/namespace.yml"])["groups"])

    def current(self) -> dict[str, str]:
        """The groups that the ruler has."""
        text = request("GET", self._url, self._headers, missing_is_empty=True)
        document: Any = yaml.safe_load(text) if text.strip() else {}
        if not isinstance(document, dict):
            raise BadInputError(f"{self._url}: answered something that is no namespace. Is it the API of a ruler?")
        return _groups(cast("dict[str, Any]", document).get(self._namespace) or [])

    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Send the groups that differ, and delete those that are gone."""
        old, new = self.current(), self.desired(files)
        changed: list[str] = []
        for name, text in new.items():
            if old.get(name) != text:
                request("POST", self._url, self._headers, text.encode())
                changed.append(name)
        for name in old.keys() - new.keys():
            request("DELETE", f"{self._url}/{urllib.parse.quote(name, safe='')}", self._headers)
            changed.append(name)
        return changed


def _groups(groups: list[Any]) -> dict[str, str]:
    """Groups by name, in one way of writing: a ruler may order keys otherwise, and leave empty ones out."""
    return {group["name"]: yaml_text(_ordered(group)) for group in groups}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return {key: _ordered(pairs[key]) for key in sorted(pairs) if pairs[key] not in ({}, None)}
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [_ordered(item) for item in items]
    return value


def request(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    missing_is_empty: bool = False,
) -> str:
    """Ask an HTTP API.

    Args:
        method: HTTP's verb.
        url: Where.
        headers: What goes with it.
        body: What is sent.
        missing_is_empty: Whether a 404 is an empty answer.

    Returns:
        The body of the answer.

    Raises:
        BadInputError: It refused, with its status and what it said, or can't be reached.
    """
    if not url.startswith(("http://", "https://")):
        raise BadInputError(f"{url}: expected a URL that starts with http:// or https://")
    asked = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 # checked above
    try:
        with urllib.request.urlopen(asked, timeout=_TIMEOUT) as answer:  # noqa: S310 # checked above
            text: str = answer.read().decode()
            return text
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 404 and missing_is_empty:
                return ""
            detail = error.read().decode(errors="replace").strip()
        raise BadInputError(f"{method} {url}: answered {error.code}: {detail[:500]}") from None
    except (urllib.error.URLError, OSError) as error:
        raise BadInputError(f"{method} {url}: can't be reached: {getattr(error, 'reason', error)}") from None
