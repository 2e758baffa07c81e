"""What people are told while they wait, in every language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["WAITING", "WaitingWords"]


@dataclass(frozen=True, slots=True)
class WaitingWords:
    """One language.

    Attributes:
        waiting: The request was sent.
        queued: It waits for its turn.
        place: Its place in the queue, `{n}`.
        turn: When it may be its turn, `{time}`.
        retrying: Another attempt follows at `{time}`.
        attempt: The number of that attempt, `{n}`, of at most `{most}`.
        rerouted: It goes another way.
        other_model: It goes to another model.
        working: It still runs.
        writing: The answer is being written.
        done: The answer is there.
        cancelled: The call was cancelled.
    """

    waiting: str
    queued: str
    place: str
    turn: str
    retrying: str
    attempt: str
    rerouted: str
    other_model: str
    working: str
    writing: str
    done: str
    cancelled: str


WAITING: Final[Mapping[str, WaitingWords]] = MappingProxyType(
    {
        "en": WaitingWords(
            waiting="Waiting for the assistant.",
            queued="Many requests are waiting. Yours is in the queue.",
            place="It is number {n}.",
            turn="It should be its turn {time}.",
            retrying="Trying again {time}.",
            attempt="This will be attempt {n} of at most {most}.",
            rerouted="Trying another way to reach the assistant.",
            other_model="Asking another assistant, whose answer may be simpler.",
            working="Still working on it.",
            writing="The answer is being written.",
            done="The answer is ready.",
            cancelled="The request was cancelled.",
        ),
        "de": WaitingWords(
            waiting="Der Assistent wurde gefragt.",
            queued="Viele Anfragen warten. Ihre ist in der Warteschlange.",
            place="Sie hat die Nummer {n}.",
            turn="Sie ist voraussichtlich {time} an der Reihe.",
            retrying="{time} folgt ein neuer Versuch.",
            attempt="Es ist der {n}. von höchstens {most} Versuchen.",
            rerouted="Ein anderer Weg zum Assistenten wird versucht.",
            other_model="Ein anderer Assistent wird gefragt; seine Antwort ist vielleicht einfacher.",
            working="Die Anfrage wird noch bearbeitet.",
            writing="Die Antwort wird geschrieben.",
            done="Die Antwort ist fertig.",
            cancelled="Die Anfrage wurde abgebrochen.",
        ),
        "fr": WaitingWords(
            waiting="En attente de l'assistant.",
            queued="De nombreuses demandes sont en attente. La vôtre est dans la file.",
            place="Elle porte le numéro {n}.",
            turn="Son tour devrait venir {time}.",
            retrying="Nouvel essai {time}.",
            attempt="Ce sera l'essai {n} sur {most} au plus.",
            rerouted="Essai d'un autre chemin vers l'assistant.",
            other_model="Un autre assistant est interrogé ; sa réponse sera peut-être plus simple.",
            working="La demande est toujours en cours de traitement.",
            writing="La réponse est en cours de rédaction.",
            done="La réponse est prête.",
            cancelled="La demande a été annulée.",
        ),
        "es": WaitingWords(
            waiting="Esperando al asistente.",
            queued="Hay muchas solicitudes en espera. La suya está en la cola.",
            place="Es el número {n}.",
            turn="Debería llegar su turno {time}.",
            retrying="Nuevo intento {time}.",
            attempt="Será el intento {n} de {most} como máximo.",
            rerouted="Probando otro camino hacia el asistente.",
            other_model="Se pregunta a otro asistente; su respuesta puede ser más sencilla.",
            working="La solicitud se sigue procesando.",
            writing="Se está escribiendo la respuesta.",
            done="La respuesta está lista.",
            cancelled="La solicitud se ha cancelado.",
        ),
        "ja": WaitingWords(
            waiting="アシスタントの応答を待っています。",
            queued="多くのリクエストが待機しています。順番待ちです。",
            place="現在{n}番目です。",
            turn="{time}順番になる見込みです。",
            retrying="{time}再試行します。",
            attempt="{n}回目の試行です。最大で{most}回試行します。",
            rerouted="別の経路でアシスタントに接続しています。",
            other_model="別のアシスタントに問い合わせています。回答が簡略になる場合があります。",
            working="引き続き処理しています。",
            writing="回答を作成しています。",
            done="回答の準備ができました。",
            cancelled="リクエストは取り消されました。",
        ),
    }
)
"""The words of each language that messages come in."""
