"""Importing: which format a file is of, what a row of each tells, and what a bad one lacks."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.importing.recognise import Unknown, format_of, recognised, told
from agents.importing.rows import BadRow, Row
from agents.importing.told import About, LooseScore, Probe

PROBE = {"id": "P1", "domain": "Trial", "prompt": "What is fair?"}
ANSWERED = PROBE | {"model": "m", "response": "Sharing."}
SUMMARY = {"type": "summary", "model": "m-1b", "conditions": [], "max_tokens": 1024}
AB = {
    "type": "probe",
    "id": "P1",
    "category": "trial",
    "prompt": "What is fair?",
    "conditions": {
        "baseline": {"response": "Sharing.", "lek_score": 4.6, "time_s": 1.5},
        "json": {
            "response": "<pad>",
            "lek_score": -19.0,
            "heuristic": {"empty_broken": 1, "engagement_depth": 1, "lek_score": -19.0},
        },
    },
    "ts": "2026-02-15T01:02:03Z",
}
EXCHANGE = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello."}]
DISTIL = {
    "type": "training",
    "training": {"messages": EXCHANGE},
    "meta": {"probe_id": "P1_R_PERS", "category": "trial", "sample_idx": 3, "lek_score": 25.5}
    | {"model": "m-27b", "temperature": 0.9, "time_s": 30.1, "ts": "2026-02-16T00:00:00+01:00"},
}
GOLDEN = {"idx": 4, "seed_id": "P1", "voice": "elder", "prompt": "Fair, child?", "response": "Yes."}


def read(value: Any, **summary: object) -> list[Any]:
    return list(told(Row(":1", 0, value), About(stem="file", summary=summary)))


def write(folder: Path, name: str, *rows: object) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_an_ab_row_tells_a_response_for_each_condition() -> None:
    plain, kerneled = read(AB, **SUMMARY)

    assert (plain.model, plain.kernel, plain.seconds) == ("import:m-1b", None, 1.5)
    assert (kerneled.kernel.name, kerneled.response) == ("json", "<pad>")
    assert (plain.sampling.temperature, plain.sampling.max_tokens) == (0.0, 1024)
    assert [score.scorer for score in kerneled.scores] == ["recorded@1"]
    assert kerneled.scores[0].signals == {"empty_broken": 1.0, "engagement_depth": 1.0}


def test_two_kernels_without_a_text_are_told_apart() -> None:
    conditions = {name: {"response": "Yes."} for name in ("json", "txt")}

    json_kernel, txt = (each.kernel for each in read(AB | {"conditions": conditions}))

    assert json_kernel.digest != txt.digest


def test_a_distilled_row_tells_its_sample_and_how_it_was_drawn() -> None:
    (found,) = read(DISTIL)

    assert (found.probe.id, found.probe.rephrasing_of, found.probe.kind) == (
        "P1_R_PERS",
        "P1",
        "perspective",
    )
    assert (found.model, found.sample, found.sampling.temperature) == ("import:m-27b", 3, 0.9)
    assert [(score.scorer, score.score) for score in found.scores] == [("recorded@distil", 25.5)]


def test_a_golden_row_belongs_to_the_probe_that_it_is_a_voice_of() -> None:
    (found,) = read(GOLDEN | {"worker": "mac", "gen_time": 2.5})

    assert (found.probe.id, found.probe.rephrasing_of) == ("P1_elder", "P1")
    assert (found.kernel.name, found.seconds) == ("sandwich", 2.5)


@pytest.mark.parametrize(
    ("row", "kernel"),
    [
        ({"region": "eu", "model": "gemini"}, "sandwich"),
        ({"region": "eu", "model": "m", "idx": 1}, None),
        ({"gen_time": 1.0}, "unrecorded"),
    ],
)
def test_a_row_with_a_seed_says_by_its_fields_what_kernel_it_had(
    row: dict[str, object], kernel: str | None
) -> None:
    (found,) = read({"seed_id": "S1", "prompt": "Why?", "response": "So."} | row)

    assert (found.kernel.name if found.kernel else None) == kernel


def test_a_system_message_is_the_kernel() -> None:
    (found,) = read({"messages": [{"role": "system", "content": "Be kind."}, *EXCHANGE]})

    assert found.kernel.text == "Be kind."
    assert (found.probe.prompt, found.response) == ("Hello?", "Hello.")


def test_of_a_conversation_the_last_reply_is_the_response() -> None:
    more = [{"role": "user", "content": "Bye?"}, {"role": "assistant", "content": "Bye."}]

    (found,) = read({"messages": [*EXCHANGE, *more]})

    assert found.probe.prompt == "User: Hello?\n\nAssistant: Hello.\n\nUser: Bye?"
    assert found.response == "Bye."


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (PROBE, Probe(id="P1", domain="Trial", prompt="What is fair?")),
        ({"id": 7, "ethic_tension": "x", "prompt": "Why?"}, Probe(id="7", prompt="Why?")),
        ("  Why? ", Probe(prompt="Why?")),
        ({"text": "Why?"}, Probe(prompt="Why?")),
        ({"question": "Why?", "benchmark": "b"}, Probe(prompt="Why?", domain="b")),
        ({"prompt": " ", "prompt_en": "Why?"}, Probe(prompt="Why?")),
        ({"prompt": "Porquê?", "prompt_en": "Why?"}, Probe(prompt="Porquê?", language="und")),
        ({"prompt": "Porquê?", "language": "pt"}, Probe(prompt="Porquê?", language="pt")),
        ({"prompt": "لماذا؟"}, Probe(prompt="لماذا؟", language="und")),
        ({"seed_id": "P_00000", "prompt": "Why?"}, Probe(prompt="Why?")),
        (
            {"id": "X", "prompt": "Why?", "source_probe": "P1", "rephrase_type": "cultural"},
            Probe(id="X", prompt="Why?", rephrasing_of="P1", kind="culture"),
        ),
        (
            {"seed_id": "P1", "voice": "elder", "prompt": "Why?"},
            Probe(
                id="P1_elder",
                prompt="Why?",
                rephrasing_of="P1",
                kind="perspective",
                voice="elder",
            ),
        ),
        (
            {"seed_id": "P1", "voice": "original", "prompt": "Why?"},
            Probe(id="P1", prompt="Why?", voice="original"),
        ),
        ({"prompt": "Why?", "region": " Sahel "}, Probe(prompt="Why?", region="Sahel")),
        ({"prompt": "Why?", "region": ["Sahel"]}, Probe(prompt="Why?")),
    ],
)
def test_a_seed_is_read_in_every_shape(entry: object, expected: Probe) -> None:
    assert read(entry) == [expected]


@pytest.mark.parametrize(
    ("document", "prompts"),
    [
        ({"prompts": [PROBE, "Why?"]}, ["What is fair?", "Why?"]),
        ({"seeds": [{"text": "Why?"}]}, ["Why?"]),
        ([{"region": "X", "context": "War", "scenarios": [PROBE, PROBE]}], ["What is fair?"] * 2),
        ([PROBE], ["What is fair?"]),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_is_read_whatever_it_nests(
    tmp_path: Path, document: object, prompts: list[str], indent: int | None
) -> None:
    path = tmp_path / "seeds"
    path.write_text(json.dumps(document, indent=indent))

    found = [read(row.value)[0] for row in recognised(path).rows()]

    assert [probe.prompt for probe in found] == prompts


def test_a_nested_seed_inherits_what_stands_around_it(tmp_path: Path) -> None:
    path = tmp_path / "seeds.json"
    path.write_text(json.dumps([{"context": "War", "scenarios": [{"id": 1, "prompt": "Why?"}]}]))

    (row,) = recognised(path).rows()

    assert row.at == "[0].scenarios[0]"
    assert read(row.value) == [Probe(id="1", prompt="Why?", domain="War")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"scores": {"quiz": {"m": {"Q1": {"correct": True}}}}}, [("Q1", "recorded@quiz", 1.0)]),
        (
            {"scores": {"m": {"Q1": {"kind": 7, "aware": 8.5, "why": "So."}}}},
            [("Q1", "recorded@file-kind", 7.0), ("Q1", "recorded@file-aware", 8.5)],
        ),
        (
            {"per_prompt": {"m": [{"id": "Q1", "model": "m", "heuristic": {"lek_score": 3}}]}},
            [("Q1", "recorded@heuristic", 3.0)],
        ),
        (
            {"label": "m", "probes": {"Q1": {"passed": False, "response": "4"}}},
            [("Q1", "recorded@capability", 0.0)],
        ),
        (
            {"label": "m", "probes": {"Q1": {"response": "x", "scores": {"truth": 9}}}},
            [("Q1", "recorded@content-truth", 9.0)],
        ),
    ],
)
def test_each_recorded_number_keeps_a_scorer_of_its_own(
    row: object, expected: list[tuple[str, str, float]]
) -> None:
    found = read(row)

    assert all(isinstance(each, LooseScore) and each.model == "import:m" for each in found)
    assert [(each.probe, each.score.scorer, each.score.score) for each in found] == expected


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"id": 1, "ethical_tension": "x"}, "has no prompt, only id, ethical_tension"),
        ({"prompt": 5}, 'has a "prompt" that is not text: 5'),
        ({"prompt": " "}, 'has no "prompt"'),
        ({"prompt": "a", "id": [1]}, 'has an "id" that is neither text nor a number'),
        ({"prompt": "a", "id": "x" * 2000}, "2,000 characters"),
        ({"prompt": "\ud800"}, "half a surrogate pair"),
        ([1], "is no object"),
        (AB | {"conditions": {"baseline": {}}}, 'condition "baseline" without a response'),
        (AB | {"conditions": []}, 'has a "conditions" that is no object'),
        (ANSWERED | {"response": 3}, 'has a "response" that is not text: 3'),
        (ANSWERED | {"response": "x" * 8_000_000}, "too many for an event"),
        ({"messages": EXCHANGE[:1]}, "end with a reply"),
        ({"messages": [{"role": "tool", "content": ""}]}, "unknown role: 'tool'"),
        (DISTIL | {"meta": {"sample_idx": -1}}, '"sample_idx" that counts nothing'),
    ],
)
def test_a_bad_row_says_what_is_wrong_with_it(row: object, why: str) -> None:
    with pytest.raises(BadRow, match=why.replace("(", r"\(")):
        read(row)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"SQLite\0", "is no text"),
        (b'"a line of quoted text"\n"and another"\n', "of no known format"),
        (b"# Read me\n", "of no known format"),
        (b'{"framework": "x"}', "of no known format"),
        (b'[{"prompt": "Why?"},\n{"prompt" 1}]', ":2 is not JSON"),
        (b'["\xff"]', "is not UTF-8"),
    ],
)
def test_a_file_of_no_known_format_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)

    with pytest.raises(Unknown, match=why):
        recognised(path)


def test_a_format_is_known_by_content_whatever_the_name(tmp_path: Path) -> None:
    for value, name in ((AB, "ab"), (DISTIL, "distil"), (GOLDEN, "golden"), (ANSWERED, "results")):
        assert format_of(value) == name
        assert recognised(write(tmp_path, "file.txt", value)).format == name
