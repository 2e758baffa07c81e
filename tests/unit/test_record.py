"""Records are frozen, however they are made."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields

import pytest

from claudescope.schema.record import CallRecord, Usage, draft_of
from tests.records import make_record


def test_a_draft_becomes_the_frozen_class() -> None:
    """Equal to one made the usual way, with its defaults, its hash and its guard."""
    draft = draft_of(Usage)(10, 20, server_tools={"web_search": 1})
    draft.__class__ = Usage
    assert draft == Usage(10, 20, server_tools={"web_search": 1})
    assert pickle.loads(pickle.dumps(draft)) == draft  # noqa: S301 - made above
    with pytest.raises(FrozenInstanceError):
        draft.input_tokens = 5  # type: ignore[misc] # what must not work


def test_a_draft_has_every_field() -> None:
    """A record of 24 fields is the same as the one whose fields it was given."""
    record = make_record()
    draft = draft_of(CallRecord)(**{field.name: getattr(record, field.name) for field in fields(CallRecord)})
    draft.__class__ = CallRecord
    assert (draft, repr(draft)) == (record, repr(record))
