"""What people read: every error type in every language, and texts of the app's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import claudescope
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.web import Messages, degraded_message, user_message
from claudescope.web.messages import LANGUAGES, language_of


@pytest.mark.parametrize("error_type", ERROR_TYPES)
def test_english_is_the_tables_message(error_type: str) -> None:
    """Without a time, the English text is the one of the table of error types."""
    assert user_message(error_type) == ERROR_TYPES[error_type].message


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    """No language lacks a text, and each differs from English."""
    words, english = LANGUAGES[language], LANGUAGES["en"]
    assert list(words.happened) == list(english.happened)
    assert list(words.advice) == list(english.advice)
    assert list(words.degraded) == list(english.degraded)
    texts = [user_message(name, locale=language, retry_after=after) for name in ERROR_TYPES for after in (None, 100)]
    assert all(texts)
    assert not [text for text in texts if "{" in text or "  " in text]
    if language != "en":
        assert not set(texts) & {user_message(name) for name in ERROR_TYPES}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "in a few seconds"),
        (8.5, "in about 10 seconds"),
        (50, "in about 50 seconds"),
        (51, "in about a minute"),
        (71, "in about 2 minutes"),
        (120, "in about 2 minutes"),
        (120.5, "in about 3 minutes"),
        (3000, "in about 50 minutes"),
        (3001, "in about an hour"),
        (4201, "in about 2 hours"),
        (22 * 3600, "in about 22 hours"),
        (22 * 3600 + 1, "in about a day"),
        (86400 * 3, "in about 3 days"),
    ],
)
def test_times_are_rounded_up(seconds: float, expected: str) -> None:
    """Nobody comes back too early."""
    assert user_message("overloaded_error", retry_after=seconds).endswith(f"Please try again {expected}.")


@pytest.mark.parametrize("error_type", ["invalid_request_error", "content_policy_error", "request_too_large"])
def test_a_time_does_not_help_everywhere(error_type: str) -> None:
    """Where only another request helps, no time is told."""
    assert user_message(error_type, retry_after=60) == user_message(error_type)


@pytest.mark.parametrize("retry_after", [float("nan"), float("inf"), -1.0])
def test_a_time_that_is_none(retry_after: float) -> None:
    """What is no time is left out."""
    assert user_message("api_error", retry_after=retry_after) == user_message("api_error")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de_CH", "de"),
        ("pt-BR,es;q=0.8,en;q=0.5", "es"),
        ("en;q=0.2, fr;q=0.9", "fr"),
        ("fr;q=0, ja", "ja"),
        ("fr;q=x", "en"),
        ("*", "en"),
        ("," * 100_000 + "de", "en"),
    ],
)
def test_which_language(locale: str | None, expected: str) -> None:
    """The one with the highest weight that is known; English otherwise, and for nonsense."""
    assert language_of(locale) == expected


def test_degraded_answers() -> None:
    """Each way of degrading an answer has a text."""
    assert degraded_message("model", locale="es").startswith("Esta es una respuesta simplificada")
    with pytest.raises(claudescope.BadInputError, match="'colder' is no way to degrade an answer"):
        degraded_message("colder")  # type: ignore[arg-type] # what is wrong with it


def test_texts_of_your_own(tmp_path: Path) -> None:
    """A file replaces single texts, adds languages, and leaves the rest."""
    file = tmp_path / "messages.yaml"
    file.write_text(
        'errors:\n  en:\n    overloaded_error: "Back soon. {when}"\n  pt:\n    overloaded_error: "Volte logo."\n'
        'degraded:\n  en:\n    model: "Short today."\n'
    )
    own = Messages.load(file)
    assert user_message("overloaded_error", messages=own, retry_after=60) == (
        "Back soon. Please try again in about a minute."
    )
    assert user_message("overloaded_error", messages=own, locale="pt-BR") == "Volte logo."
    assert user_message("api_error", messages=own, locale="pt") == user_message("api_error")
    assert degraded_message("model", messages=own) == "Short today."
    assert degraded_message("cache", messages=own) == degraded_message("cache")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("errors:\n  en:\n    overload: x\n", ":3: "),
        ("errors:\n  en:\n    api_error: 'x {time}'\n", ":3: errors.en.api_error: {time} is no placeholder"),
        ("errors:\n  en:\n    api_error: ''\n", ":3: "),
        ("errors:\n  en:\n    api_error: 5\n", ":3: "),
        ("errors:\n  English:\n    api_error: x\n", ":2: "),
        ("degraded:\n  en:\n    model: '{when}'\n", ":3: "),
        ("error: {}\n", ":1: "),
        ("", ":1: "),
    ],
)
def test_mistakes_in_a_file(text: str, expected: str, tmp_path: Path) -> None:
    """Each is told with its file and line."""
    file = tmp_path / "messages.yaml"
    file.write_text(text)
    with pytest.raises(claudescope.BadInputError, match=re.escape(f"messages.yaml{expected[0:3]}")):
        Messages.load(file)


def test_mistakes_in_code() -> None:
    """All of them are told at once."""
    with pytest.raises(claudescope.BadInputError) as caught:
        Messages({"en": {"api_eror": "x", "api_error": "{x}"}, "EN": {}})
    assert str(caught.value) == (
        "en: 'api_eror' is not known. Did you mean 'api_error'?; en.api_error: {x} is no placeholder; allowed here: "
        "{when}; 'EN' is no language; expected a code of two or three letters, such as 'en'"
    )


def test_an_unknown_name() -> None:
    """A name that is no error type is refused, with the nearest."""
    with pytest.raises(claudescope.BadInputError, match="Did you mean 'api_error'"):
        user_message("api_eror")
