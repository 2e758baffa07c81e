"""The stack's files are right, as far as each tool's own checker can say without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from tests import components

_ROOT = Path(__file__).parents[2]
_STACK = _ROOT / "examples" / "stack"
_BOARDS = _ROOT / "dashboards" / "claudescope_dashboards" / "generated"


def _compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((_STACK / "compose.yaml").read_text())
    return read


def _mounts(service: dict[str, Any]) -> list[tuple[Path, str]]:
    """What of the repository a service sees, and where."""
    pairs = [mount.split(":")[:2] for mount in service.get("volumes", ())]
    return [((_STACK / source).resolve(), target) for source, target in pairs if source.startswith(".")]


def _program(name: str) -> str:
    return str(components.require("sid", name))


def _laid_out(name: str, folder: Path) -> Path:
    """What a service sees, laid out as it sees it."""
    for source, target in _mounts(_compose()["services"][name]):
        place = folder / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place)
        else:
            shutil.copy(source, place)
    return folder


def _check(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fetched by us
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_compose_file() -> None:
    """It is of the Compose specification; its images have fixed versions; only this machine reaches its ports."""
    # The parser refuses keys and values that are none, and does not know Docker's name for the host's address.
    PyCompose.from_yaml((_STACK / "compose.yaml").read_text().replace(":host-gateway", ":192.0.2.1"))
    services = _compose()["services"]
    assert set(services) == {"collector", "prometheus", "alertmanager", "tempo", "grafana"}
    for name, service in services.items():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        files = [mount for mount in service["volumes"] if mount.startswith(".")]
        assert [mount for mount in files if not mount.endswith(":ro")] == []


@pytest.mark.parametrize("change", [("image:", "imgae:"), ("127.0.0.1:4317:4317", "4317:port"), (":ro", ":rx")])
def test_the_parser_is_strict(change: tuple[str, str]) -> None:
    """What the test above relies on: a mistake in the file is refused."""
    text = (_STACK / "compose.yaml").read_text().replace(":host-gateway", ":192.0.2.1")
    with pytest.raises(ValueError, match=r"services|unknown|invalid"):
        PyCompose.from_yaml(text.replace(*change, 1))


def test_what_is_mounted_is_there() -> None:
    """Every file of the repository that a service sees exists."""
    if not _BOARDS.exists():
        pytest.skip("the dashboards are not built here")
    missing = [
        str(source)
        for service in _compose()["services"].values()
        for source, _ in _mounts(service)
        if not source.exists()
    ]
    assert missing == []


def test_no_secrets() -> None:
    """No file holds a password, a key or a token."""
    words = re.compile(r"(?i)(password|secret|token|api_?key|routing_key)\s*[:=]\s*\S")
    assert [path.name for path in _STACK.iterdir() if words.search(path.read_text())] == []


def test_prometheus(tmp_path: Path) -> None:
    """Promtool takes the configuration, with every rule file that the container sees."""
    said = _check(
        _program("promtool"),
        "check",
        "config",
        str(_laid_out("prometheus", tmp_path) / "etc/prometheus/prometheus.yml"),
    )
    rules = list((_ROOT / "alerts/claudescope_alerts/generated/rules").glob("*.yml"))
    assert len(re.findall(r"SUCCESS: \d+ rules found", said)) == len(rules) > 0


def test_alertmanager(tmp_path: Path) -> None:
    """Amtool takes the configuration."""
    folder = _laid_out("alertmanager", tmp_path)
    assert "SUCCESS" in _check(_program("amtool"), "check-config", str(folder / "etc/alertmanager/alertmanager.yml"))


def test_the_collectors_pipelines() -> None:
    """Each pipeline is made of parts that are defined, every part is used, and all signals have a way."""
    config = yaml.safe_load((_STACK / "collector.yaml").read_text())
    pipelines = config["service"]["pipelines"]
    assert set(pipelines) == {"metrics", "traces", "logs"}
    for kind in ("receivers", "processors", "exporters"):
        assert {part for pipeline in pipelines.values() for part in pipeline[kind]} == set(config[kind])
    published = {port.rpartition(":")[2] for port in _compose()["services"]["collector"]["ports"]}
    listening = {each["endpoint"].rpartition(":")[2] for each in config["receivers"]["otlp"]["protocols"].values()}
    assert published == listening


def test_hosts_and_ports() -> None:
    """Services find each other: every host that a file names is a service, at a port that it listens on."""
    listens = {"prometheus": "9090", "alertmanager": "9093", "tempo": "4317 3200"}
    texts = [path.read_text() for path in _STACK.glob("*.y*ml")]
    named = re.findall(r"\b([a-z]+):(\d{4})\b", "\n".join(texts))
    assert {host for host, _ in named} == {*listens, "internal", "localhost"}  # host.docker.internal
    assert [(host, port) for host, port in named if port not in listens.get(host, port)] == []


def test_data_sources() -> None:
    """The traces that the boards' exemplars open are where the boards look for them."""
    tempo = yaml.safe_load((_STACK / "grafana-tempo.yml").read_text())["datasources"][0]
    assert (tempo["uid"], tempo["url"]) == ("tempo", "http://tempo:3200")
    assert yaml.safe_load((_STACK / "tempo.yaml").read_text())["server"]["http_listen_port"] == 3200
