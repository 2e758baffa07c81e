"""A stand-in for Grafana's HTTP API of folders and dashboards that rejects what Grafana rejects
(https://grafana.com/docs/grafana/latest/developers/http_api/dashboard/).
"""  # noqa: D205

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.servers import serving

__all__ = ["TOKEN", "Grafana"]

TOKEN = "glsa_stand-in"  # accepted by the stand-in only


@dataclass
class Grafana:
    """The state of the stand-in.

    Attributes:
        folders: Title by uid.
        dashboards: Dashboard, folder and message of the last save, by uid.
        writes: Every request that changed something, in order.
        before_save: Called before a dashboard is saved, to simulate a save by someone else.
    """

    folders: dict[str, str] = field(default_factory=dict[str, str])
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    writes: list[str] = field(default_factory=list[str])
    before_save: Callable[[str], None] = lambda uid: None

    async def get_folder(self, request: Request) -> JSONResponse:
        """Return a folder by its uid."""
        uid = request.path_params["uid"]
        if uid not in self.folders:
            return JSONResponse({"message": "folder not found", "status": "not-found"}, 404)
        return JSONResponse({"uid": uid, "title": self.folders[uid], "version": 1})

    async def make_folder(self, request: Request) -> JSONResponse:
        """Create a folder."""
        body = await request.json()
        if not body.get("title"):
            return JSONResponse({"message": "folder title cannot be empty"}, 400)
        if body["uid"] in self.folders:
            return JSONResponse({"message": "the folder has been changed by someone else"}, 412)
        self.folders[body["uid"]] = body["title"]
        self.writes.append(f"folder {body['uid']}")
        return JSONResponse({"uid": body["uid"], "title": body["title"], "version": 1})

    async def get_dashboard(self, request: Request) -> JSONResponse:
        """Return a dashboard by its uid."""
        found = self.dashboards.get(request.path_params["uid"])
        if found is None:
            return JSONResponse({"message": "Dashboard not found"}, 404)
        return JSONResponse({"meta": {"folderUid": found["folderUid"]}, "dashboard": found["dashboard"]})

    async def search(self, request: Request) -> JSONResponse:
        """Find dashboards by tag and folder."""
        tag, folder = request.query_params["tag"], request.query_params["folderUIDs"]
        found = [
            {"uid": uid, "type": "dash-db"}
            for uid, dashboard in self.dashboards.items()
            if dashboard["folderUid"] == folder and tag in dashboard["dashboard"].get("tags", [])
        ]
        return JSONResponse(found)

    async def save(self, request: Request) -> JSONResponse:
        """Create or update a dashboard."""
        body = await request.json()
        dashboard = body.get("dashboard")
        if not dashboard or not dashboard.get("title"):
            return JSONResponse({"message": "Dashboard title cannot be empty", "status": "empty-name"}, 400)
        uid = dashboard["uid"]
        if len(uid) > 40:
            return JSONResponse({"message": "uid too long, max 40 characters"}, 400)
        if body.get("folderUid") not in self.folders:
            return JSONResponse({"message": "folder not found"}, 404)
        self.before_save(uid)
        current = self.dashboards.get(uid)
        version = current["dashboard"]["version"] if current else 0
        if current and not body.get("overwrite") and dashboard.get("version") != version:
            message = "The dashboard has been changed by someone else"
            return JSONResponse({"message": message, "status": "version-mismatch"}, 412)
        stored = {
            **dashboard,
            "id": current["dashboard"]["id"] if current else len(self.dashboards) + 1,
            "version": version + 1,
        }
        self.dashboards[uid] = {"dashboard": stored, "folderUid": body["folderUid"], "message": body.get("message", "")}
        self.writes.append(f"dashboard {uid}")
        return JSONResponse({"id": stored["id"], "uid": uid, "status": "success", "version": version + 1})

    def _guarded(self, answer: Any) -> Any:
        async def guarded(request: Request) -> JSONResponse:
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return JSONResponse({"message": "Invalid API key"}, 401)
            found: JSONResponse = await answer(request)
            return found

        return guarded

    @contextmanager
    def running(self) -> Generator[str]:
        """Serve under a sub-path, as behind a proxy, and yield the base URL."""
        table = (
            ("/api/folders/{uid}", self.get_folder, "GET"),
            ("/api/folders", self.make_folder, "POST"),
            ("/api/dashboards/uid/{uid}", self.get_dashboard, "GET"),
            ("/api/dashboards/db", self.save, "POST"),
            ("/api/search", self.search, "GET"),
        )
        routes = [Route(f"/grafana{path}", self._guarded(answer), methods=[verb]) for path, answer, verb in table]
        with serving(*routes) as root:
            yield root + "/grafana"
