"""What people read while Claude does not answer: what happened, and when to try again.

    user_message(error)                     "The assistant is very busy right now. Please try again in about 2 minutes."
    user_message(error, locale="de-AT")     the same in German
    degraded_message("model")               "This is a simplified answer, because the assistant is very busy right now."

A message never says how the app is built, and holds nothing of the request, the answer or the provider's text.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from claudescope._internal.exceptions import BadInputError, did_you_mean
from claudescope.schema.classify import classify
from claudescope.web.failures import failure_of, retry_after_of
from claudescope.web.messages.overrides import Messages
from claudescope.web.messages.words import GROUPS, LANGUAGES, Degraded, Units

__all__ = ["LANGUAGES", "Messages", "degraded_message", "language_of", "time_words", "user_message"]

_DEFAULT: Final = "en"
_TIMED: Final = frozenset({"busy", "trouble", "unavailable", "slow", "unknown"})
"""Groups in which another try may succeed after a while, without a change of the request."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def user_message(
    error: BaseException | str,
    *,
    locale: str | None = None,
    retry_after: float | None = None,
    messages: Messages | None = None,
) -> str:
    """What to tell a person about a failed call.

    Args:
        error: The exception, or the name of an error type.
        locale: A language such as `"de"`, or a value of `Accept-Language` such as `"de-AT,de;q=0.9,en;q=0.8"`. English
            where it is None, or where no language of it is known.
        retry_after: Seconds after which another try may succeed. By default what the exception says: the header
            `retry-after`, or how long the policy's circuit stays open.
        messages: Texts of your own, from `Messages.load`.

    Returns:
        One or two sentences.

    Raises:
        BadInputError: `error` is a text that names no error type.

    Example:
        >>> user_message("overloaded_error", retry_after=120)
        'The assistant is very busy right now. Please try again in about 2 minutes.'
    """
    if isinstance(error, str):
        name = error
        if name not in GROUPS:
            raise BadInputError(f"{name!r} is no error type.{did_you_mean(name, GROUPS)}")
    else:
        failure = failure_of(error) or error
        name = classify(failure).name
        retry_after = retry_after_of(failure) if retry_after is None else retry_after
    language = language_of(locale, messages)
    words, group = LANGUAGES.get(language, LANGUAGES[_DEFAULT]), GROUPS[name]
    known = retry_after is not None and math.isfinite(retry_after) and retry_after >= 0 and group in _TIMED
    when = words.again.format(time=time_words(retry_after or 0, words.units)) if known else words.advice[group]
    own = None if messages is None else messages.error(language, name)
    if own is not None:
        return own.replace("{when}", when).strip()
    return f"{words.happened[group]}{'' if language == 'ja' else ' '}{when}".strip()


def degraded_message(by: Degraded, *, locale: str | None = None, messages: Messages | None = None) -> str:
    """What to tell a person about an answer that is not the one that was asked for.

    Args:
        by: How it differs, a value of `claude.degraded.by`: `model`, `cache`, `static`, `function` or `partial`.
        locale: As for `user_message`.
        messages: As for `user_message`.

    Raises:
        BadInputError: `by` is none of these values.

    Example:
        >>> degraded_message("partial")
        'This answer is incomplete, because it was cut off.'
    """
    known = LANGUAGES[_DEFAULT].degraded
    if by not in known:
        raise BadInputError(f"{by!r} is no way to degrade an answer. Expected one of {', '.join(known)}")
    language = language_of(locale, messages)
    own = None if messages is None else messages.degradation(language, by)
    return own or LANGUAGES.get(language, LANGUAGES[_DEFAULT]).degraded[by]


def language_of(locale: str | None, messages: Messages | None = None) -> str:
    """The best known language of a locale or of a value of `Accept-Language`; `en` where there is none.

    Args:
        locale: Languages, as in RFC 9110, section 12.5.4.
        messages: Texts of your own, which may have further languages.
    """
    if locale is None:
        return _DEFAULT
    # Few values are seen, and each often; a longer one is no value of a browser's.
    return _language_of(locale[:1000], () if messages is None else messages.languages)


@lru_cache(maxsize=256)
def _language_of(locale: str, further: tuple[str, ...]) -> str:
    known = {*LANGUAGES, *further}
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(locale.split(",")[:20]):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        language = tag.strip().replace("_", "-").partition("-")[0].lower()
        if quality > 0 and language in known:
            wanted.append((-quality, place, language))
    return min(wanted)[2] if wanted else _DEFAULT


def time_words(seconds: float, units: Units) -> str:
    """A wait in words, rounded up, so that nobody comes too early."""
    steps = (
        (8, units.moment, 1),
        (50, units.seconds, 10),
        (_MINUTE + 10, units.minute, 1),
        (50 * _MINUTE, units.minutes, _MINUTE),
        (_HOUR + 10 * _MINUTE, units.hour, 1),
        (22 * _HOUR, units.hours, _HOUR),
        (_DAY + _HOUR, units.day, 1),
        (math.inf, units.days, _DAY),
    )
    text, unit = next((text, unit) for longest, text, unit in steps if seconds <= longest)
    count = math.ceil(seconds / unit)
    return text.format(n=count * 10 if text is units.seconds else count)
