"""Grafana-managed rules: Grafana's own types keep every key, and its provisioning accepts every rule."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from claudescope_alerts.build import build
from claudescope_alerts.spec.model import Spec, load_spec
from tests.alerts.conftest import default_build

_Duration = Annotated[str, Field(pattern=r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$", min_length=2)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class _Query(_Strict):
    ref_id: str = Field(min_length=1)
    datasource_uid: str = Field(min_length=1)
    model: dict[str, Any]
    relative_time_range: dict[Literal["from", "to"], int] = {}


class _Record(_Strict):
    metric: str = Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    source: str = Field(alias="from")
    target_datasource_uid: str


class _Rule(_Strict):
    """A rule in a provisioning file: uid, title, condition and data are required, of recording rules too."""

    uid: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,40}$")
    title: str = Field(min_length=1, max_length=190)
    condition: str = Field(min_length=1)
    data: list[_Query] = Field(min_length=1)
    no_data_state: Literal["Alerting", "NoData", "OK", "KeepLast"] = "NoData"
    exec_err_state: Literal["Alerting", "Error", "OK", "KeepLast"] = "Alerting"
    for_: _Duration = Field(default="0s", alias="for")
    keep_firing_for: _Duration = "0s"
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    record: _Record | None = None


class _Group(_Strict):
    org_id: int = Field(ge=1)
    name: str = Field(min_length=1, max_length=190)
    folder: str = Field(min_length=1)
    interval: _Duration
    rules: list[_Rule] = Field(min_length=1)


class _File(_Strict):
    api_version: Literal[1]
    groups: list[_Group]


@pytest.fixture(scope="module")
def document() -> Any:
    """The default provisioning file."""
    return yaml.safe_load(default_build()["grafana/alert-rules.yml"])


def test_every_key_is_one_that_grafana_reads(document: Any) -> None:
    """Grafana drops unknown keys silently, and refuses a whole file for a rule without a condition."""
    rules = [rule for group in _File.model_validate(document).groups for rule in group.rules]
    assert len({rule.uid for rule in rules}) == len({rule.title for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.condition in {query.ref_id for query in rule.data}
        # Grafana reads `$name` in labels as a variable of its environment.
        assert "$" not in "".join([rule.title, *rule.labels.values()])


def test_grafanas_own_types_lose_nothing(document: Any) -> None:
    """In through `grafana-foundation-sdk` and out again: the same document."""
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk needs Python 3.11")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.alerting import Rule

    for group in document["groups"]:
        for rule in group["rules"]:
            # The types are those of the HTTP API, which names two keys differently and has the group in each rule.
            # They are of Grafana 11.6, which lacks two of our keys; the strict model above checks these.
            api = {**rule, "orgID": group["orgId"], "folderUID": group["folder"], "ruleGroup": group["name"]}
            api.pop("keepFiringFor", None)
            if "record" in api:
                api["record"] = {key: value for key, value in api["record"].items() if key != "targetDatasourceUid"}
            # The encoder always writes these three.
            api = {"execErrState": "Alerting", "noDataState": "OK", "for": "", **api}
            assert json.loads(JSONEncoder().encode(Rule.from_json(api))) == api


def test_the_data_source_and_the_folder_are_the_specs() -> None:
    """Every query and every recording rule uses those of the spec."""
    grafana = {"datasource": "mimir-prod", "folder": "claude"}
    text = build(Spec.model_validate({**load_spec().model_dump(by_alias=True), "grafana": grafana}))[
        "grafana/alert-rules.yml"
    ]
    assert set(re.findall(r"(?:datasourceUid|targetDatasourceUid): (\S+)", text)) == {"mimir-prod", "__expr__"}
    assert set(re.findall(r"folder: (\S+)", text)) == {"claude"}
