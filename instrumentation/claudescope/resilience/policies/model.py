"""The model of a policy file."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from claudescope._internal.file_model import FileModel
from claudescope.resilience.engine.rules import ClientKind
from claudescope.resilience.policies.sections import Breaker, CallSection, ErrorRule, Model, Money
from claudescope.schema.error_types import ErrorTypeName

__all__ = ["BudgetSection", "PolicyFile", "TargetSection", "json_schema"]

_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"


class TargetSection(FileModel):
    """One place that a call can be sent to: one of the SDK's clients, or a gateway with a URL."""

    client: ClientKind | None = None
    """Which of the SDK's clients sends. Default: anthropic where there is a `base_url`, else required."""

    base_url: str | None = None
    """Where it sends, such as `https://llm.example.com`. Default: the client's own."""

    api_key_env: str | None = None
    """Environment variable that holds the key of the target; `null` for a gateway that needs none. Required with
    `base_url`. Default: the client's own credentials."""

    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] | None = None
    """Region of Bedrock, Vertex AI, Foundry or AWS. Default: the one of the environment."""

    project: Annotated[str, Field(min_length=1)] | None = None
    """Project of Vertex AI, or resource of Foundry. Default: the one of the environment."""

    models: dict[Model, Model] = Field(default={})
    """Names that models have there. Default: the same names."""

    @field_validator("api_key_env")
    @classmethod
    def _is_a_variable(cls, name: str | None) -> str | None:
        if name is not None and not name.replace("_", "a").isidentifier():
            # It may be the key itself, which must not be repeated.
            raise PydanticCustomError(
                "secret", "expected the name of an environment variable, such as GATEWAY_KEY, not the key itself"
            )
        return name

    @field_validator("base_url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parsed = _URL.validate_python(url)
        except ValidationError:
            raise ValueError("expected a URL such as 'https://llm.example.com'") from None
        if parsed.username or parsed.password or parsed.query or parsed.fragment:
            raise PydanticCustomError(
                "secret", "expected a URL without user, password, query and fragment. A key belongs into api_key_env"
            )
        return url

    @model_validator(mode="after")
    def _has_a_key(self) -> TargetSection:
        if self.client is None and self.base_url is None:
            raise ValueError("a target needs one of the keys client and base_url")
        if self.base_url is not None and self.client in {None, "anthropic"} and self.key_is_missing:
            raise ValueError(
                "a target with base_url needs the key api_key_env: without it the API's own key would be sent there. "
                "Write `api_key_env: null` where it needs no key"
            )
        if self.client in {None, "anthropic"} and (self.region or self.project):
            raise ValueError("region and project belong to bedrock, vertex, foundry and aws. Add client or remove them")
        return self

    @property
    def key_is_missing(self) -> bool:
        """Whether the file says nothing of a key."""
        return "api_key_env" not in self.model_fields_set


class BudgetSection(FileModel):
    """US dollars that may be spent in a day of UTC."""

    workflow: Annotated[str, Field(min_length=1)] | None = None
    """The workflow. Default: all calls together."""

    usd_per_day: Money
    """The limit. Required."""

    then: Literal["warn", "degrade", "block"] = "warn"
    """What happens above it. `degrade`: calls use the last model of `models`. Default: warn."""


class PolicyFile(FileModel):
    """A whole policy file. Every key has a default except `version`."""

    version: Literal[1]
    """Version of this format: 1. Required."""

    defaults: CallSection = CallSection()
    """What holds for all calls. Default: see the keys below."""

    error_types: dict[ErrorTypeName, ErrorRule] = Field(default={})
    """How error types are repeated. Default: by the table of error types."""

    breaker: Breaker | None = Field(default=None, json_schema_extra={"default": {"rate": "50%"}})
    """When circuits open; `null` for never. Default: `{rate: 50%}`."""

    targets: dict[Annotated[str, Field(pattern=_NAME)], TargetSection] = Field(default={})
    """Places that calls can be sent to, by name. Default: the client that the app calls, under the name `primary`."""

    budgets: list[BudgetSection] = Field(default=[])
    """Budgets in US dollars a day. Default: none."""

    workflows: dict[Annotated[str, Field(min_length=1, max_length=200)], CallSection] = Field(default={})
    """What holds for the calls of one workflow; every key that is missing is taken from `defaults`. Default: none."""

    @model_validator(mode="after")
    def _budgets_differ(self) -> PolicyFile:
        workflows = [budget.workflow for budget in self.budgets]
        for workflow in workflows:
            if workflows.count(workflow) > 1:
                shown = "all calls" if workflow is None else repr(workflow)
                raise ValueError(f"there are two budgets of {shown}. Remove one")
        return self


def json_schema() -> str:
    """The JSON Schema of a policy file, as text."""
    return json.dumps(PolicyFile.model_json_schema(), indent=2) + "\n"
