"""Texts of the app's own in place of the ones that come along, from a file.

    errors:
      en:
        rate_limit_error: "Many people are asking right now. {when}"
    degraded:
      en:
        model: "Short answer, as we are busy."

`{when}` is replaced by when to try again. A language that does not come along takes that sentence from English.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from claudescope._internal.exceptions import BadInputError, did_you_mean, require
from claudescope.web.messages.checks import language_mistake, text_mistake
from claudescope.web.messages.words import GROUPS, LANGUAGES

__all__ = ["Messages"]


class Messages:
    """Texts of your own, by language.

    Args:
        errors: By language and error type. `{when}` stands for when to try again.
        degraded: By language and the value of `claude.degraded.by`.

    Raises:
        BadInputError: A language, an error type, a placeholder or a text is not one. All mistakes are named.
    """

    def __init__(
        self,
        errors: Mapping[str, Mapping[str, str]] | None = None,
        degraded: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._errors = {language: dict(texts) for language, texts in (errors or {}).items()}
        self._degraded = {language: dict(texts) for language, texts in (degraded or {}).items()}
        mistakes = [
            mistake
            for section, known, placeholders in (
                (self._errors, tuple(GROUPS), {"{when}"}),
                (self._degraded, tuple(LANGUAGES["en"].degraded), set[str]()),
            )
            for language, texts in section.items()
            for mistake in _mistakes(language, texts, known, placeholders)
        ]
        if mistakes:
            raise BadInputError("; ".join(mistakes))

    @classmethod
    def load(cls, path: str | Path) -> Messages:
        """Read texts from a YAML file.

        Raises:
            BadInputError: The file has a mistake. The message names each with its file and line.
            MissingExtraError: pydantic or PyYAML is missing, which the extra `web` installs.
        """
        require("pydantic", extra="web", feature="Messages.load")
        require("yaml", extra="web", feature="Messages.load")
        from claudescope._internal.yaml_model import load_yaml_model  # needs both
        from claudescope.web.messages.file_model import MessagesFile

        file = load_yaml_model(Path(path), MessagesFile)
        return cls(
            {language: texts.model_dump(exclude_none=True) for language, texts in file.errors.items()},
            {language: texts.model_dump(exclude_none=True) for language, texts in file.degraded.items()},
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have a text."""
        return tuple({**self._errors, **self._degraded})

    def error(self, language: str, error_type: str) -> str | None:
        """The text of an error type; None where the app has none of its own."""
        return self._errors.get(language, {}).get(error_type)

    def degradation(self, language: str, by: str) -> str | None:
        """The text of a degraded answer; None where the app has none of its own."""
        return self._degraded.get(language, {}).get(by)


def _mistakes(language: str, texts: Mapping[str, str], known: tuple[str, ...], placeholders: set[str]) -> list[str]:
    wrong = language_mistake(language)
    found = [] if wrong is None else [wrong]
    for key, text in texts.items():
        if key not in known:
            found.append(f"{language}: {key!r} is not known.{did_you_mean(key, known)}")
        elif (mistake := text_mistake(text, placeholders)) is not None:
            found.append(f"{language}.{key}: {mistake}")
    return found
