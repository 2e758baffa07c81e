"""The words of every language that messages are built in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["GROUPS", "LANGUAGES", "Degraded", "Group", "Units", "Words"]

Group = Literal[
    "busy", "trouble", "unavailable", "slow", "cut_off", "too_large", "policy", "cannot", "unusable", "unknown"
]
"""Error types that people are told the same about."""

Degraded = Literal["model", "cache", "static", "function", "partial"]
"""How an answer differs from the one that was asked for: the values of `claude.degraded.by`."""

GROUPS: Final[Mapping[str, Group]] = MappingProxyType(
    {
        "rate_limit_error": "busy",
        "ramp_limit_error": "busy",
        "spend_limit_error": "unavailable",
        "overloaded_error": "busy",
        "api_error": "trouble",
        "timeout_error": "slow",
        "client_timeout_error": "slow",
        "connection_error": "trouble",
        "pool_timeout_error": "busy",
        "stream_interrupted_error": "cut_off",
        "authentication_error": "unavailable",
        "permission_error": "unavailable",
        "billing_error": "unavailable",
        "not_found_error": "cannot",
        "request_too_large": "too_large",
        "content_policy_error": "policy",
        "invalid_request_error": "cannot",
        "response_validation_error": "unusable",
        "circuit_open_error": "trouble",
        "unknown_error": "unknown",
    }
)
"""The group of each error type."""


@dataclass(frozen=True, slots=True)
class Units:
    """How long to wait, in words. `{n}` is a whole number of 2 or more."""

    moment: str
    seconds: str
    minute: str
    minutes: str
    hour: str
    hours: str
    day: str
    days: str


@dataclass(frozen=True, slots=True)
class Words:
    """One language.

    Attributes:
        happened: What happened, by group.
        advice: What to do, by group, where it is not known when the next try may succeed.
        again: What to do where that is known. `{time}` is one of `units`.
        units: When.
        degraded: What to say of an answer that is not the one that was asked for.
    """

    happened: Mapping[Group, str]
    advice: Mapping[Group, str]
    again: str
    units: Units
    degraded: Mapping[Degraded, str]


_ENGLISH: Final = Words(
    happened={
        "busy": "The assistant is very busy right now.",
        "trouble": "The assistant is having trouble right now.",
        "unavailable": "The assistant is unavailable right now.",
        "slow": "The assistant took too long to answer.",
        "cut_off": "The answer was cut off.",
        "too_large": "This is more than the assistant can take at once.",
        "policy": "The assistant can't help with this request.",
        "cannot": "Sorry, the assistant could not process this request.",
        "unusable": "The assistant's answer could not be used.",
        "unknown": "Something went wrong.",
    },
    advice={
        "busy": "Please try again in a moment.",
        "trouble": "Please try again in a moment.",
        "unavailable": "Please try again later.",
        "slow": "Please try again, perhaps with a shorter request.",
        "cut_off": "Please try again.",
        "too_large": "Please shorten it and try again.",
        "policy": "Please try to put it differently.",
        "cannot": "",
        "unusable": "Please try again.",
        "unknown": "Please try again later.",
    },
    again="Please try again {time}.",
    units=Units(
        "in a few seconds",
        "in about {n} seconds",
        "in about a minute",
        "in about {n} minutes",
        "in about an hour",
        "in about {n} hours",
        "in about a day",
        "in about {n} days",
    ),
    degraded={
        "model": "This is a simplified answer, because the assistant is very busy right now.",
        "cache": "This is an earlier answer to the same question, because the assistant is very busy right now.",
        "static": "This is a prepared answer, because the assistant is unavailable right now.",
        "function": "This is a simplified answer, because the assistant is unavailable right now.",
        "partial": "This answer is incomplete, because it was cut off.",
    },
)

_GERMAN: Final = Words(
    happened={
        "busy": "Der Assistent ist gerade stark ausgelastet.",
        "trouble": "Der Assistent hat gerade Schwierigkeiten.",
        "unavailable": "Der Assistent ist gerade nicht verfügbar.",
        "slow": "Der Assistent hat zu lange für die Antwort gebraucht.",
        "cut_off": "Die Antwort wurde abgebrochen.",
        "too_large": "Das ist mehr, als der Assistent auf einmal aufnehmen kann.",
        "policy": "Der Assistent kann bei dieser Anfrage nicht helfen.",
        "cannot": "Der Assistent konnte diese Anfrage leider nicht verarbeiten.",
        "unusable": "Die Antwort des Assistenten war nicht verwendbar.",
        "unknown": "Etwas ist schiefgegangen.",
    },
    advice={
        "busy": "Bitte versuchen Sie es gleich noch einmal.",
        "trouble": "Bitte versuchen Sie es gleich noch einmal.",
        "unavailable": "Bitte versuchen Sie es später noch einmal.",
        "slow": "Bitte versuchen Sie es noch einmal, vielleicht mit einer kürzeren Anfrage.",
        "cut_off": "Bitte versuchen Sie es noch einmal.",
        "too_large": "Bitte kürzen Sie die Anfrage und versuchen Sie es noch einmal.",
        "policy": "Bitte versuchen Sie, sie anders zu formulieren.",
        "cannot": "",
        "unusable": "Bitte versuchen Sie es noch einmal.",
        "unknown": "Bitte versuchen Sie es später noch einmal.",
    },
    again="Bitte versuchen Sie es {time} noch einmal.",
    units=Units(
        "in einigen Sekunden",
        "in etwa {n} Sekunden",
        "in etwa einer Minute",
        "in etwa {n} Minuten",
        "in etwa einer Stunde",
        "in etwa {n} Stunden",
        "in etwa einem Tag",
        "in etwa {n} Tagen",
    ),
    degraded={
        "model": "Dies ist eine vereinfachte Antwort, weil der Assistent gerade stark ausgelastet ist.",
        "cache": "Dies ist eine frühere Antwort auf dieselbe Frage, weil der Assistent gerade stark ausgelastet ist.",
        "static": "Dies ist eine vorbereitete Antwort, weil der Assistent gerade nicht verfügbar ist.",
        "function": "Dies ist eine vereinfachte Antwort, weil der Assistent gerade nicht verfügbar ist.",
        "partial": "Diese Antwort ist unvollständig, weil sie abgebrochen wurde.",
    },
)

_FRENCH: Final = Words(
    happened={
        "busy": "L'assistant est très sollicité en ce moment.",
        "trouble": "L'assistant rencontre un problème en ce moment.",
        "unavailable": "L'assistant est indisponible en ce moment.",
        "slow": "L'assistant a mis trop de temps à répondre.",
        "cut_off": "La réponse a été interrompue.",
        "too_large": "C'est plus que ce que l'assistant peut traiter en une fois.",
        "policy": "L'assistant ne peut pas répondre à cette demande.",
        "cannot": "Désolé, l'assistant n'a pas pu traiter cette demande.",
        "unusable": "La réponse de l'assistant n'a pas pu être utilisée.",
        "unknown": "Une erreur s'est produite.",
    },
    advice={
        "busy": "Veuillez réessayer dans un instant.",
        "trouble": "Veuillez réessayer dans un instant.",
        "unavailable": "Veuillez réessayer plus tard.",
        "slow": "Veuillez réessayer, peut-être avec une demande plus courte.",
        "cut_off": "Veuillez réessayer.",
        "too_large": "Veuillez raccourcir la demande et réessayer.",
        "policy": "Veuillez la formuler autrement.",
        "cannot": "",
        "unusable": "Veuillez réessayer.",
        "unknown": "Veuillez réessayer plus tard.",
    },
    again="Veuillez réessayer {time}.",
    units=Units(
        "dans quelques secondes",
        "dans environ {n} secondes",
        "dans environ une minute",
        "dans environ {n} minutes",
        "dans environ une heure",
        "dans environ {n} heures",
        "dans environ un jour",
        "dans environ {n} jours",
    ),
    degraded={
        "model": "Voici une réponse simplifiée, car l'assistant est très sollicité en ce moment.",
        "cache": "Voici une réponse antérieure à la même question, car l'assistant est très sollicité en ce moment.",
        "static": "Voici une réponse préparée, car l'assistant est indisponible en ce moment.",
        "function": "Voici une réponse simplifiée, car l'assistant est indisponible en ce moment.",
        "partial": "Cette réponse est incomplète, car elle a été interrompue.",
    },
)

_SPANISH: Final = Words(
    happened={
        "busy": "El asistente está muy ocupado en este momento.",
        "trouble": "El asistente tiene problemas en este momento.",
        "unavailable": "El asistente no está disponible en este momento.",
        "slow": "El asistente tardó demasiado en responder.",
        "cut_off": "La respuesta se interrumpió.",
        "too_large": "Esto es más de lo que el asistente puede procesar de una vez.",
        "policy": "El asistente no puede ayudar con esta solicitud.",
        "cannot": "Lo sentimos, el asistente no pudo procesar esta solicitud.",
        "unusable": "No se pudo usar la respuesta del asistente.",
        "unknown": "Se produjo un error.",
    },
    advice={
        "busy": "Inténtelo de nuevo en un momento.",
        "trouble": "Inténtelo de nuevo en un momento.",
        "unavailable": "Inténtelo de nuevo más tarde.",
        "slow": "Inténtelo de nuevo, quizá con una solicitud más corta.",
        "cut_off": "Inténtelo de nuevo.",
        "too_large": "Acorte la solicitud e inténtelo de nuevo.",
        "policy": "Intente expresarla de otra manera.",
        "cannot": "",
        "unusable": "Inténtelo de nuevo.",
        "unknown": "Inténtelo de nuevo más tarde.",
    },
    again="Inténtelo de nuevo {time}.",
    units=Units(
        "dentro de unos segundos",
        "dentro de unos {n} segundos",
        "dentro de un minuto aproximadamente",
        "dentro de unos {n} minutos",
        "dentro de una hora aproximadamente",
        "dentro de unas {n} horas",
        "dentro de un día aproximadamente",
        "dentro de unos {n} días",
    ),
    degraded={
        "model": "Esta es una respuesta simplificada, porque el asistente está muy ocupado en este momento.",
        "cache": "Esta es una respuesta anterior a la misma pregunta, porque el asistente está muy ocupado.",
        "static": "Esta es una respuesta preparada, porque el asistente no está disponible en este momento.",
        "function": "Esta es una respuesta simplificada, porque el asistente no está disponible en este momento.",
        "partial": "Esta respuesta está incompleta, porque se interrumpió.",
    },
)

_JAPANESE: Final = Words(
    happened={
        "busy": "ただいまアシスタントが大変混み合っています。",
        "trouble": "ただいまアシスタントに問題が発生しています。",
        "unavailable": "ただいまアシスタントをご利用いただけません。",
        "slow": "アシスタントの応答に時間がかかりすぎました。",
        "cut_off": "回答が途中で切れました。",
        "too_large": "アシスタントが一度に処理できる量を超えています。",
        "policy": "アシスタントはこのご依頼にお応えできません。",
        "cannot": "申し訳ありませんが、アシスタントはこのご依頼を処理できませんでした。",
        "unusable": "アシスタントの回答を使用できませんでした。",
        "unknown": "問題が発生しました。",
    },
    advice={
        "busy": "しばらくしてからもう一度お試しください。",
        "trouble": "しばらくしてからもう一度お試しください。",
        "unavailable": "後ほどもう一度お試しください。",
        "slow": "より短い内容でもう一度お試しください。",
        "cut_off": "もう一度お試しください。",
        "too_large": "内容を短くしてもう一度お試しください。",
        "policy": "別の表現でお試しください。",
        "cannot": "",
        "unusable": "もう一度お試しください。",
        "unknown": "後ほどもう一度お試しください。",
    },
    again="{time}もう一度お試しください。",
    units=Units(
        "数秒後に",
        "約{n}秒後に",
        "約1分後に",
        "約{n}分後に",
        "約1時間後に",
        "約{n}時間後に",
        "約1日後に",
        "約{n}日後に",
    ),
    degraded={
        "model": "アシスタントが混み合っているため、簡略化した回答を表示しています。",
        "cache": "アシスタントが混み合っているため、同じ質問への以前の回答を表示しています。",
        "static": "アシスタントをご利用いただけないため、用意された回答を表示しています。",
        "function": "アシスタントをご利用いただけないため、簡略化した回答を表示しています。",
        "partial": "途中で切れたため、この回答は不完全です。",
    },
)

LANGUAGES: Final[Mapping[str, Words]] = MappingProxyType(
    {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH, "ja": _JAPANESE}
)
"""The languages by their code."""
