"""Pushes dashboards to Grafana by its HTTP API
(https://grafana.com/docs/grafana/latest/developers/http_api/dashboard/).

A push creates or updates the dashboards of the build, which it finds by their uids. It deletes nothing.
"""  # noqa: D205

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

from claudescope._internal.exceptions import BadInputError
from claudescope_alerts.deploy import Target, request
from claudescope_dashboards.build import json_text
from claudescope_dashboards.grafana.layout import TAG

__all__ = ["Grafana"]

_SET_BY_GRAFANA: Final = {"id", "version"}
_HINTS: Final = {
    401: "Set GRAFANA_TOKEN to the token of a service account of this Grafana",
    403: "Give the service account the role Editor, or permission to edit folders and dashboards",
    404: "Check that --url is the base URL of Grafana, including its sub-path if it has one",
    412: "Someone else changed the dashboard, or a plugin owns it. Check it in Grafana, then push again",
}
_DASHBOARDS_FOLDER: Final = "dashboards/"


class Grafana(Target):
    """A folder in Grafana.

    Args:
        url: Base URL of Grafana, such as `https://grafana.example.com`.
        token: Token of a service account.
        folder: Title of the folder. It is created if it does not exist.
        message: Message for the version history of each changed dashboard.
        overwrite: Whether to replace a dashboard that someone else saves during the push.

    Raises:
        BadInputError: The title of the folder has no letters or digits.
    """

    def __init__(self, url: str, token: str, *, folder: str, message: str, overwrite: bool = True) -> None:
        self._url = url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self._folder = folder
        self._folder_uid = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:40]
        if not self._folder_uid:
            raise BadInputError(f"--folder {folder!r}: expected a title with letters or digits")
        self._message = message
        self._overwrite = overwrite
        self._names: dict[str, str] = {}

    def desired(self, files: Mapping[str, str]) -> dict[str, str]:
        """Return the dashboards of a build, as text by uid."""
        dashboards = [json.loads(text) for path, text in files.items() if path.startswith(_DASHBOARDS_FOLDER)]
        self._names = {dashboard["uid"]: dashboard["title"] for dashboard in dashboards}
        return {dashboard["uid"]: json_text(_content(dashboard)) for dashboard in dashboards}

    def current(self) -> dict[str, str]:
        """Return the dashboards in the folder that have claudescope's tag, as text by uid."""
        query = urllib.parse.urlencode({"type": "dash-db", "tag": TAG, "folderUIDs": self._folder_uid})
        uids = [found["uid"] for found in self._ask("GET", f"/api/search?{query}")]
        dashboards = [self._ask("GET", f"/api/dashboards/uid/{uid}")["dashboard"] for uid in uids]
        return {dashboard["uid"]: json_text(_content(dashboard)) for dashboard in dashboards}

    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Create the folder if it does not exist, and save the dashboards that differ or are in another folder.

        Returns:
            Titles of the saved dashboards.

        Raises:
            BadInputError: Grafana refused a request, or can't be reached.
        """
        changed: list[str] = []
        folder_exists = self._ask("GET", f"/api/folders/{self._folder_uid}", missing=True) is not None
        for uid, text in self.desired(files).items():
            found = self._ask("GET", f"/api/dashboards/uid/{uid}", missing=True)
            if found is not None:
                in_place = found.get("meta", {}).get("folderUid") == self._folder_uid
                if in_place and json_text(_content(found["dashboard"])) == text:
                    continue
            if not folder_exists:
                self._ask("POST", "/api/folders", {"uid": self._folder_uid, "title": self._folder})
                folder_exists = True
            version = 0 if found is None else found["dashboard"].get("version", 0)
            dashboard = {**json.loads(text), "id": None, "version": version}
            self._ask(
                "POST",
                "/api/dashboards/db",
                {
                    "dashboard": dashboard,
                    "folderUid": self._folder_uid,
                    "message": self._message,
                    "overwrite": self._overwrite,
                },
            )
            changed.append(self._names[uid])
        return changed

    def _ask(self, method: str, path: str, body: object = None, *, missing: bool = False) -> Any:
        """Send a request and return the response, or None for a 404 if `missing` allows it."""
        sent = None if body is None else json.dumps(body).encode()
        try:
            text = request(method, self._url + path, self._headers, sent, missing_is_empty=missing)
        except BadInputError as refused:
            status = re.search(r": [a-z ]+ (\d{3}):", str(refused))
            hint = _HINTS.get(int(status[1])) if status else None
            raise BadInputError(f"{refused}. {hint}" if hint else str(refused)) from None
        if missing and not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise BadInputError(
                f"{self._url}{path}: the response is not JSON. Check that --url is the base URL of Grafana"
            ) from None


def _content(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dashboard without the keys that Grafana sets."""
    return {key: value for key, value in dashboard.items() if key not in _SET_BY_GRAFANA}
