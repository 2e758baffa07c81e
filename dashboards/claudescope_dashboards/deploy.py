"""Grafana's HTTP API as a place that boards are pushed to
(https://grafana.com/docs/grafana/latest/developers/http_api/dashboard/).

Only the boards of the build are ever touched, found by their uid. Nothing is deleted.
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
    401: "Expected GRAFANA_TOKEN to be the token of a service account of this Grafana",
    403: "The service account may not do this: give it the role Editor, or the rights to edit folders and dashboards",
    404: "Is --url the base URL of Grafana, with its sub-path if it has one?",
    412: "Somebody saved the board at the same moment, or a plugin owns it: look at it in Grafana, then push again",
}
_PLACE: Final = "dashboards/"


class Grafana(Target):
    """A folder of a Grafana.

    Args:
        url: Its base URL, such as `https://grafana.example.com`.
        token: Token of a service account.
        folder: Title of the folder; it is made if need be.
        message: What the history of a changed board says.
        overwrite: Whether to replace a board that was saved since it was compared.
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
        """The boards, as text by uid."""
        dashboards = [json.loads(text) for path, text in files.items() if path.startswith(_PLACE)]
        self._names = {dashboard["uid"]: dashboard["title"] for dashboard in dashboards}
        return {dashboard["uid"]: json_text(_content(dashboard)) for dashboard in dashboards}

    def current(self) -> dict[str, str]:
        """The boards in the folder that carry claudescope's tag, as text by uid."""
        query = urllib.parse.urlencode({"type": "dash-db", "tag": TAG, "folderUIDs": self._folder_uid})
        uids = [found["uid"] for found in self._ask("GET", f"/api/search?{query}")]
        dashboards = [self._ask("GET", f"/api/dashboards/uid/{uid}")["dashboard"] for uid in uids]
        return {dashboard["uid"]: json_text(_content(dashboard)) for dashboard in dashboards}

    def apply(self, files: Mapping[str, str]) -> list[str]:
        """Make the folder if need be, and save the boards that differ or are in another folder.

        Returns:
            Titles of the boards that were saved.
        """
        changed: list[str] = []
        folder_is_there = self._ask("GET", f"/api/folders/{self._folder_uid}", missing=True) is not None
        for uid, text in self.desired(files).items():
            found = self._ask("GET", f"/api/dashboards/uid/{uid}", missing=True)
            if found is not None:
                in_place = found.get("meta", {}).get("folderUid") == self._folder_uid
                if in_place and json_text(_content(found["dashboard"])) == text:
                    continue
            if not folder_is_there:
                self._ask("POST", "/api/folders", {"uid": self._folder_uid, "title": self._folder})
                folder_is_there = True
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
        """One request; None where the answer is 404 and that is allowed."""
        sent = None if body is None else json.dumps(body).encode()
        try:
            text = request(method, self._url + path, self._headers, sent, missing_is_empty=missing)
        except BadInputError as refused:
            status = re.search(r": answered (\d{3}):", str(refused))
            hint = _HINTS.get(int(status[1])) if status else None
            raise BadInputError(f"{refused}. {hint}" if hint else str(refused)) from None
        if missing and not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise BadInputError(f"{self._url}{path}: answered something that is not JSON. Is it Grafana?") from None


def _content(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    """A board without what Grafana sets itself."""
    return {key: value for key, value in dashboard.items() if key not in _SET_BY_GRAFANA}
