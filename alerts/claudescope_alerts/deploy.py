"""Deploys rules to a target, or shows what would change there.

A deployment is safe to repeat: it changes nothing on a target that is up to date. It changes only what belongs to
claudescope: files with its header in a Prometheus folder, and one namespace in a ruler.
"""

from __future__ import annotations

import contextlib
import difflib
import http.client
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

__all__ = ["Folder", "PrometheusFolder", "Ruler", "Target", "auth_headers", "request", "show_difference"]

_TIMEOUT: Final = 30


class Target(ABC):
    """A place that holds generated documents by name."""

    @abstractmethod
    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """The documents that it should hold, from the files of a build."""

    @abstractmethod
    def current(self) -> dict[str, str]:
        """The documents of claudescope that it holds now."""

    @abstractmethod
    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Make it hold the documents of a build.

        Returns:
            Names of the documents that changed.

        Raises:
            BadInputError: The target refused the documents, or can't be reached. A folder then has its old files.
        """


def show_difference(target: Target, files: Mapping[str, str]) -> str:
    """What a deployment would change, as a unified diff; empty for no change."""
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
        ours: Whether a build wrote a file. Other files are ignored.
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
        """Not supported: `build` writes such a folder."""
        raise NotImplementedError


class PrometheusFolder(Folder):
    """A folder whose files Prometheus loads.

    Args:
        folder: Its path; it must exist.
        service: Name of the service, so that several specs can share a folder.
        reload: URL of the Prometheus server that reloads the files; None for no reload.
    """

    def __init__(self, folder: Path, service: str, reload: str | None = None) -> None:
        if not folder.is_dir():
            raise BadInputError(f"{folder}: there is no such folder. Expected that of rule_files in prometheus.yml")
        super().__init__(folder)
        self._prefix = f"claudescope-{service}-"
        self._reload = reload

    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """The rule files, under names that start with the service."""
        return {
            self._prefix + path.removeprefix("rules/"): text
            for path, text in files.items()
            if path.startswith("rules/")
        }

    def current(self) -> dict[str, str]:
        """The rule files of this service."""
        return {name: text for name, text in super().current().items() if name.startswith(self._prefix)}

    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Write the files and reload Prometheus; if it refuses them, restore the old files and reload these."""
        old, new = self.current(), self.desired(files)
        changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        for name in changed:
            path = self._folder / name
            if path.exists() and not is_generated(path):
                raise BadInputError(f"{path}: not written by claudescope, so it was not replaced. Remove or rename it")
        if not changed:
            return []
        try:
            self._put(changed, new)
            self._tell()
        except BadInputError as refused:
            self._put(changed, old)
            with contextlib.suppress(BadInputError):  # the first refusal is the one to report
                self._tell()
            raise BadInputError(f"{refused}. The old files were restored") from None
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
    """The configuration API of the ruler of Mimir, Cortex or Grafana Cloud
    (https://grafana.com/docs/mimir/latest/references/http-api/#ruler-rules-configuration).

    Args:
        url: Base of the API, such as `http://mimir:8080/prometheus`.
        spec: Has the name of the namespace.
        tenant: Value of `X-Scope-OrgID`; None sends none.
        token_file: A file with a bearer token; None sends none.
    """  # noqa: D205

    def __init__(self, url: str, spec: Spec, tenant: str | None = None, token_file: Path | None = None) -> None:
        self._url = f"{url.rstrip('/')}/config/v1/rules/{urllib.parse.quote(namespace(spec), safe='')}"
        self._namespace = namespace(spec)
        self._headers = {"Content-Type": "application/yaml", **auth_headers(tenant, token_file)}

    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """The groups of the namespace."""
        return _groups(yaml.safe_load(files["mimir/namespace.yml"])["groups"])

    def current(self) -> dict[str, str]:
        """The groups that the ruler has now."""
        text = request("GET", self._url, self._headers, missing_is_empty=True)
        document: Any = yaml.safe_load(text) if text.strip() else {}
        if not isinstance(document, dict):
            raise BadInputError(f"{self._url}: the response is no namespace. Expected the URL of a ruler's API")
        return _groups(cast("dict[str, Any]", document).get(self._namespace) or [])

    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Send the groups that differ, and delete those that the build does not have."""
        old, new = self.current(), self.desired(files)
        changed = [name for name in new if old.get(name) != new[name]] + sorted(old.keys() - new.keys())
        done: list[str] = []
        try:
            for name in changed:
                # Before the request: one whose response is lost may have changed the group.
                done.append(name)
                self._put(name, new.get(name))
        except BadInputError as refused:
            raise BadInputError(f"{refused}. {self._undone(done, old)}") from None
        return changed

    def _put(self, name: str, text: str | None, *, missing_is_done: bool = False) -> None:
        """Send a group, or delete it for None."""
        if text is not None:
            request("POST", self._url, self._headers, text.encode())
            return
        url = f"{self._url}/{urllib.parse.quote(name, safe='')}"
        request("DELETE", url, self._headers, missing_is_empty=missing_is_done)

    def _undone(self, names: list[str], old: Mapping[str, str]) -> str:
        """Restore the groups that a refused deployment changed, and say what the ruler has now."""
        left: list[str] = []
        for name in reversed(names):
            try:
                self._put(name, old.get(name), missing_is_done=True)
            except BadInputError:  # noqa: PERF203 # one that can't be restored does not keep the others
                left.append(name)
        if not left:
            return "The old groups were restored"
        return f"These groups could not be restored, and may be new or old: {', '.join(sorted(left))}. Push again"


def _groups(groups: list[Any]) -> dict[str, str]:
    """Groups by name, as comparable text: a ruler may change the order of keys and leave out empty ones."""
    return {group["name"]: yaml_text(_ordered(group)) for group in groups}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return {key: _ordered(pairs[key]) for key in sorted(pairs) if pairs[key] not in ({}, None)}
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [_ordered(item) for item in items]
    return value


def auth_headers(tenant: str | None, token_file: Path | None) -> dict[str, str]:
    """The headers that say who asks an API.

    Args:
        tenant: Value of `X-Scope-OrgID`; None sends none.
        token_file: A file with a bearer token; None sends none.

    Raises:
        BadInputError: The file can't be read.
    """
    headers = {} if tenant is None else {"X-Scope-OrgID": tenant}
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadInputError(f"{token_file}: can't be read: {error.strerror}") from None
        headers["Authorization"] = f"Bearer {token}"
    return headers


def request(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    missing_is_empty: bool = False,
) -> str:
    """Send a request to an HTTP API.

    Args:
        method: HTTP method.
        url: URL of the request.
        headers: Headers of the request.
        body: Body of the request.
        missing_is_empty: Whether a 404 counts as an empty response.

    Returns:
        The body of the response.

    Raises:
        BadInputError: The API can't be reached, or responded with an error; the message has the status and the start of
            the body.
    """
    if not url.startswith(("http://", "https://")):
        raise BadInputError(f"{url}: expected a URL that starts with http:// or https://")
    try:
        request_ = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 # checked above
        with urllib.request.urlopen(request_, timeout=_TIMEOUT) as response:  # noqa: S310 # checked above
            text: str = response.read().decode()
            return text
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 404 and missing_is_empty:
                return ""
            detail = error.read().decode(errors="replace").strip()
        raise BadInputError(f"{method} {url}: responded with {error.code}: {detail[:500]}") from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        # A port that is none, a host with a space, an answer that is not HTTP or not text.
        raise BadInputError(f"{method} {url}: can't be reached: {getattr(error, 'reason', error)}") from None
