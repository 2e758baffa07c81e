"""Answers that rest on one another."""

from __future__ import annotations

from claudescope.audit.memo import Memo

_EDGES = {"a": "bc", "b": "ad", "c": "e", "d": "b", "e": "c"}


def _reached(memo: Memo, key: str) -> frozenset[str]:
    def work_out() -> frozenset[str]:
        return frozenset(key).union(*(_reached(memo, follower) for follower in _EDGES[key]))

    return memo.ask(key, work_out, frozenset())


def test_answers_do_not_depend_on_the_order_of_the_questions() -> None:
    """Every member of a circle gets the whole answer, whichever is asked first."""
    expected = {"a": "abcde", "b": "abcde", "d": "abcde", "c": "ce", "e": "ce"}
    for first in _EDGES:
        memo = Memo(50)
        _reached(memo, first)
        assert {key: "".join(sorted(_reached(memo, key))) for key in _EDGES} == expected
