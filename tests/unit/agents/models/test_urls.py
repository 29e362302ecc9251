"""Which URL opens what, what is refused at once, and how an answer's outcome is told."""

from pathlib import Path

import pytest

from agents.models import Answer, check, control_tokens, open_model, outcome
from streams.errors import ModelError

FORMS = ("mlx:", "openai:", "canned:")


def answered(text: str = "Yes.", **fields: object) -> Answer:
    values = {
        "finish_reason": "stop",
        "system_role": "none",
        "revision": "r",
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "prefill_s": 0.0,
        "decode_s": 0.1,
        "control_tokens": control_tokens(text),
    }
    return Answer(text=text, **{**values, **fields})  # type: ignore[arg-type]  # one dict, many types


@pytest.mark.parametrize("url", ["gguf:model", "gpt-4o", "mlx:", "canned:", ""])
@pytest.mark.parametrize("door", [open_model, check])
def test_an_unknown_url_is_answered_with_the_three_forms(door: object, url: str) -> None:
    assert callable(door)
    with pytest.raises(ModelError) as caught:
        door(url)

    assert f'"{url}"' in str(caught.value)
    assert all(f"{form}" in str(caught.value) for form in FORMS)


@pytest.mark.parametrize(
    "url",
    [
        "openai:localhost:8080#gemma",
        "openai:http://localhost:8080/v1",
        "openai:http://localhost:8080/v1#",
        "openai:ftp://localhost/v1#gemma",
        "openai:http://#gemma",
        "openai:http://[::1/v1#gemma",
    ],
)
def test_a_server_needs_a_url_and_a_model(url: str) -> None:
    with pytest.raises(ModelError, match="openai:"):
        check(url)


@pytest.mark.parametrize(
    "url", ["openai:https://me:s3cret@host/v1#m", "openai:https://host/v1?key=s3cret#m"]
)
def test_a_password_has_no_place_in_a_url(url: str) -> None:
    with pytest.raises(ModelError, match="OPENAI_API_KEY") as caught:
        check(url)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["openai:http://localhost:8080/v1#gemma", "openai:https://host/v1/#org/model:tag"]
)
def test_a_server_is_not_asked_by_the_check(url: str) -> None:
    check(url)


@pytest.mark.parametrize("name", ["mlx-community/gemma-3-1b-it-qat-4bit", "gemma-3"])
def test_a_repository_is_taken_on_trust(name: str) -> None:
    check(f"mlx:{name}")


@pytest.mark.parametrize("place", ["./no-such-model", "/no/such/model", "~/no-such-model", "a/b/c"])
def test_a_path_must_hold_a_model(place: str) -> None:
    with pytest.raises(ModelError, match=f"mlx:{place} has no folder"):
        check(f"mlx:{place}")


def test_an_existing_folder_is_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ModelError, match=r"mlx:org/name has no config\.json"):
        check("mlx:org/name")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answered(), "ok"),
        (answered(finish_reason="content_filter"), "ok"),
        (answered("Yes and", finish_reason="length"), "truncated"),
        (answered("Yes.<end_of_turn>", finish_reason="length"), "token_leak"),
        (answered(" \n", finish_reason="length"), "empty"),
        (answered("", control_tokens=("<pad>",)), "empty"),
    ],
)
def test_an_outcome_is_the_gravest_fault(answer: Answer, expected: str) -> None:
    assert outcome(answer) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a <|im_end|> b <|im_end|>", ("<|im_end|>",)),
        ("<unused12><start_of_turn>model", ("<start_of_turn>", "<unused12>")),
        ("[INST] x [/INST]", ("[/INST]", "[INST]")),
        ("if a < b and b > c, <b>bold</b> | x |> y", ()),
        ("<s>struck</s>", ()),
    ],
)
def test_control_tokens_are_found_without_a_tokenizer(text: str, found: tuple[str, ...]) -> None:
    assert control_tokens(text) == found


def test_a_models_own_control_tokens_are_found() -> None:
    assert control_tokens("<s>Yes.</s>", known=["<s>", "</s>", "<pad>"]) == ("</s>", "<s>")
