"""An event becomes a record of its topic and comes back; an error names the record's place."""

import hashlib

import msgspec
import pytest

from schemas import Buried
from schemas.codec import decode, encode
from streams import envelope
from streams.errors import UnreadableRecord
from streams.log.records import Record
from streams.log.store import EmbeddedStore
from tests.events import buried, generated, scored

SCORED = scored(generated(), 1.5)


def record(value: bytes | None, topic: str = "scores") -> Record:
    return Record(topic, 2, 77, at_ms=0, key=b"", value=value, headers=())


def test_a_draft_goes_to_the_events_topic_by_its_key() -> None:
    draft = envelope.draft(SCORED)

    assert (draft.topic, draft.key, draft.partition) == ("scores", SCORED.generation.encode(), None)
    assert decode(draft.value or b"") == SCORED


def test_a_draft_is_appended_once_by_the_events_id() -> None:
    assert envelope.draft(SCORED).event_id == SCORED.id


def test_the_headers_tell_id_type_schema_and_checksum() -> None:
    draft = envelope.draft(SCORED)

    assert dict(draft.headers) == {
        "lem-id": SCORED.id.encode(),
        "lem-type": b"scored",
        "lem-schema": b"1",
        "lem-sha256": hashlib.sha256(draft.value or b"").hexdigest()[:16].encode(),
    }


def test_a_record_is_as_written_until_a_byte_of_it_is_another(store: EmbeddedStore) -> None:
    store.append([envelope.draft(SCORED)])

    (found,) = store.read("scores", 0)

    assert envelope.is_as_written(found)
    assert not envelope.is_as_written(found._replace(value=(found.value or b"") + b" "))
    assert not envelope.is_as_written(found._replace(value=None))


def test_a_record_without_a_checksum_counts_as_written() -> None:
    assert envelope.is_as_written(record(b"from elsewhere"))


def test_a_dead_letter_keeps_the_bytes_of_the_record() -> None:
    value = bytes(range(256))
    draft = envelope.draft(buried(value=value))

    found = envelope.event(record(draft.value, "dead-letters"))

    assert isinstance(found, Buried)
    assert found.value == value


def test_an_event_comes_back_from_the_log(store: EmbeddedStore) -> None:
    store.append([envelope.draft(SCORED)])

    (found,) = store.read("scores", 0)

    assert envelope.event(found) == SCORED
    assert (found.key, dict(found.headers)["lem-type"]) == (SCORED.generation.encode(), b"scored")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(None, "is not JSON: ", id="nothing"),
        pytest.param(b"hello", "is not JSON: .*malformed", id="no JSON"),
        pytest.param(b'{"type":"scord"}', r"is not an event .* - at `\$\.type`", id="type"),
        pytest.param(
            encode(SCORED).replace(b"1.5", b'"high"'),
            r"is not an event .* got `str` - at `\$\.score`",
            id="field",
        ),
        pytest.param(
            encode(msgspec.structs.replace(SCORED, schema=3)),
            "is not .*: schema 3 is newer",
            id="newer",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_place_and_advice(value: bytes | None, said: str) -> None:
    advice = r"\. Written by a newer lem\? See `lem log show scores 77 --partition 2`\.$"

    with pytest.raises(UnreadableRecord, match=rf"^scores\[2\]@77 {said}.*{advice}"):
        envelope.event(record(value))


def test_an_event_of_another_topic_is_refused_with_place_and_type() -> None:
    with pytest.raises(
        UnreadableRecord,
        match=r'^decisions\[2\]@77 is a "scored", which does not belong on decisions\.$',
    ):
        envelope.event(record(encode(SCORED), "decisions"))


def test_a_topic_that_is_not_ours_may_hold_any_event() -> None:
    assert envelope.event(record(encode(SCORED), "copies")) == SCORED
