"""The example apps of three frameworks, with a scripted API behind them."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.scripted import Answer, ScriptedAPI

_EXAMPLES = Path(__file__).parents[2] / "examples" / "problems"
FRAMEWORKS = ("fastapi", "flask", "django")
QUESTION = "Where is the planted secret 4711?"


@dataclass(frozen=True)
class Response:
    """What a consumer gets."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def problem(self) -> dict[str, Any]:
        """The body as a problem document."""
        assert self.headers["content-type"] == "application/problem+json", self.text
        found: dict[str, Any] = json.loads(self.text)
        return found


Ask = Callable[..., Response]


def _load(framework: str) -> ModuleType:
    name = f"problems_{framework}"
    spec = importlib.util.spec_from_file_location(name, _EXAMPLES / f"{framework}_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def examples() -> Iterator[dict[str, ModuleType]]:
    """The modules of the example apps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "sk-ant-planted-key")
        yield {framework: _load(framework) for framework in FRAMEWORKS}


def send(framework: str, module: Any, path: str, headers: Mapping[str, str]) -> Response:
    """Send a question to an app, as its framework's own test client does."""
    body = {"question": QUESTION}
    if framework == "fastapi":
        client = importlib.import_module("starlette.testclient").TestClient(module.app)
        with client.stream("POST", path, json=body, headers=headers) as got:
            return Response(got.status_code, got.headers, got.read().decode())
    if framework == "flask":
        module.app.testing = False
        got = module.app.test_client().post(path, json=body, headers=headers)
        return Response(got.status_code, {name.lower(): value for name, value in got.headers.items()}, got.text)
    client = importlib.import_module("django.test").Client(raise_request_exception=False, headers=headers)
    got = client.post(path, json.dumps(body), content_type="application/json")
    content = b"".join(got) if got.streaming else got.content
    return Response(got.status_code, {name.lower(): value for name, value in got.headers.items()}, content.decode())


@pytest.fixture
def ask(examples: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Send a question to the app of a framework, behind which the API gives `answer`."""

    def ask(framework: str, answer: Answer, path: str = "/ask", **headers: str) -> Response:
        script, module = ScriptedAPI(answer), examples[framework]
        client = script.async_client if framework == "fastapi" else script.client
        monkeypatch.setattr(module, "claude", client(max_retries=0))
        return send(framework, module, path, {name.replace("_", "-"): value for name, value in headers.items()})

    return ask
