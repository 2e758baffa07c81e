"""Small apps of web frameworks and Celery. Each gets a prompt with the request, and hands it to a function."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

from sentry_sdk.integrations.argv import ArgvIntegration

__all__ = ["FRAMEWORKS", "integrations", "make_app"]

Handle = Callable[[str], object]
Ask = Callable[[str], object]


def _plain(handle: Handle) -> Ask:
    def ask(prompt: str) -> None:
        try:
            handle(prompt)
        except Exception as error:  # noqa: BLE001 - whatever the function raises
            importlib.import_module("sentry_sdk").capture_exception(error)

    return ask


def _fastapi(handle: Handle) -> Ask:
    app: Any = importlib.import_module("fastapi").FastAPI()

    def chat(body: dict[str, str]) -> None:
        handle(body["prompt"])

    app.post("/chat")(chat)
    client = importlib.import_module("starlette.testclient").TestClient(app, raise_server_exceptions=False)
    return lambda prompt: client.post(f"/chat?q={prompt}", json={"prompt": prompt}).status_code


def _flask(handle: Handle) -> Ask:
    flask = importlib.import_module("flask")
    app: Any = flask.Flask("app")

    def chat() -> str:
        handle(flask.request.get_json()["prompt"])
        return ""

    app.post("/chat")(chat)
    return lambda prompt: app.test_client().post(f"/chat?q={prompt}", json={"prompt": prompt}).status_code


def _django(handle: Handle) -> Ask:
    settings = importlib.import_module("django.conf").settings
    urls = sys.modules.setdefault("urls_of_the_tests", types.ModuleType("urls_of_the_tests"))
    if not settings.configured:
        settings.configure(
            SECRET_KEY="of-the-tests", ROOT_URLCONF=urls.__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None
        )
        importlib.import_module("django").setup()
    shortcuts = importlib.import_module("django.http")

    def chat(request: Any) -> Any:
        handle(request.POST["prompt"])
        return shortcuts.HttpResponse()

    path = importlib.import_module("django.urls").path
    urls.__dict__["urlpatterns"] = [path("chat", chat)]
    importlib.import_module("django.urls").clear_url_caches()
    # A whole WSGI app, which Sentry's integration wraps, and not Django's own test client.
    app = importlib.import_module("django.core.wsgi").get_wsgi_application()
    client: Any = importlib.import_module("werkzeug.test").Client(app)
    return lambda prompt: client.post(f"/chat?q={prompt}", data={"prompt": prompt}).status_code


def _celery(handle: Handle) -> Ask:
    app: Any = importlib.import_module("celery").Celery("app", set_as_current=False)
    app.conf.update(task_always_eager=True, task_eager_propagates=False)

    def ask(prompt: str) -> None:
        handle(prompt)

    return app.task(name="ask")(ask).delay  # type: ignore[no-any-return]


FRAMEWORKS: dict[str, tuple[Callable[[Handle], Ask], tuple[str, ...]]] = {
    "none": (_plain, ()),
    "fastapi": (_fastapi, ("starlette.StarletteIntegration", "fastapi.FastApiIntegration")),
    "flask": (_flask, ("flask.FlaskIntegration",)),
    "django": (_django, ("django.DjangoIntegration",)),
    "celery": (_celery, ("celery.CeleryIntegration",)),
}
"""Makes the app, and the names of Sentry's integrations for it."""


def integrations(framework: str) -> tuple[Any, ...]:
    """Sentry's integrations for a framework, and the one that sends the command line."""
    parts = [name.split(".") for name in FRAMEWORKS[framework][1]]
    made = [getattr(importlib.import_module(f"sentry_sdk.integrations.{module}"), cls)() for module, cls in parts]
    return (ArgvIntegration(), *made)


def make_app(framework: str, handle: Handle) -> Ask:
    """Return a function that sends a prompt to an app, which hands it to `handle`. It answers with the HTTP status."""
    return FRAMEWORKS[framework][0](handle)
