"""The model of a file with texts of the app's own. Needs pydantic, so that it is imported only where a file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from claudescope.web.messages.checks import language_mistake, text_mistake
from claudescope.web.messages.words import GROUPS, LANGUAGES

__all__ = ["MessagesFile"]


def _error_text(text: str) -> str:
    return _checked(text, {"{when}"})


def _plain_text(text: str) -> str:
    return _checked(text, set())


def _checked(text: str, placeholders: set[str]) -> str:
    mistake = text_mistake(text, placeholders)
    if mistake is not None:
        raise ValueError(mistake)
    return text


def _language(code: str) -> str:
    mistake = language_mistake(code)
    if mistake is not None:
        raise ValueError(mistake)
    return code


class _Texts(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _texts(name: str, keys: tuple[str, ...], check: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {key: (Annotated[str | None, AfterValidator(check)], None) for key in keys}
    return cast("type[BaseModel]", create_model(name, __base__=_Texts, **fields))


if TYPE_CHECKING:
    Errors = _Texts
    Degradations = _Texts
else:
    Errors = _texts("Errors", tuple(GROUPS), _error_text)
    Degradations = _texts("Degradations", tuple(LANGUAGES["en"].degraded), _plain_text)

_Code = Annotated[str, AfterValidator(_language)]


class MessagesFile(BaseModel):
    """A file of texts. See `Messages`."""

    model_config = ConfigDict(extra="forbid")

    errors: dict[_Code, Errors] = Field(default_factory=dict[str, Errors])
    degraded: dict[_Code, Degradations] = Field(default_factory=dict[str, Degradations])
