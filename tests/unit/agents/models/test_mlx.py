"""A model's folder: what makes it whole, what its template and its settings lead to."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.models import Answer, check, open_model, outcome, tiny
from agents.models.files import complaint, revision
from agents.models.mlx import MlxModel
from streams.errors import ModelError
from tests.models import asking, variant

SYSTEM = "Be kind, and say what you do not know."

REFUSES = """\
{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{{ bos_token }}<start_of_turn>user
{{ messages[0].content }}<end_of_turn>
<start_of_turn>model
"""

DROPS = """\
{{ bos_token }}{% for message in messages if message.role == 'user' %}<start_of_turn>user
{{ message.content }}<end_of_turn>
{% endfor %}<start_of_turn>model
"""

EXIT = """\
import sys, threading
from agents.models import Ask, open_model
from schemas.request import Sampling
model = open_model(sys.argv[1])
ask = Ask(system=None, prompt="Why?", sampling=Sampling(max_tokens=4), seed=1)
thread = threading.Thread(target=model.answer, args=(ask,))
thread.start()
thread.join()
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.build(tmp_path_factory.mktemp("models") / "tiny")


@contextmanager
def opened(folder: Path) -> Iterator[MlxModel]:
    model = MlxModel(str(folder))
    yield model
    model.close()


def answered(folder: Path, **ask: Any) -> Answer:
    with opened(folder) as model:
        return model.answer(asking(**ask))


@pytest.mark.parametrize("template", [REFUSES, DROPS])
def test_a_kernel_that_the_template_does_not_take_is_merged(
    whole: Path, tmp_path: Path, template: str
) -> None:
    folder = variant(whole, tmp_path / "tiny", template=template)
    with opened(folder) as model:
        merged = model.answer(asking(system=SYSTEM))
        by_hand = model.answer(asking(f"{SYSTEM}\n\nWhat is consent?"))

    assert (merged.system_role, by_hand.system_role) == ("merged", "none")
    assert (merged.text, merged.prompt_tokens) == (by_hand.text, by_hand.prompt_tokens)


def test_a_template_that_merges_by_itself_has_taken_the_kernel(whole: Path) -> None:
    assert answered(whole, system=SYSTEM).system_role == "system"


def test_the_first_token_is_not_doubled(whole: Path) -> None:
    from mlx_lm import load

    tokenizer: Any = load(str(whole))[1]
    messages = [{"role": "user", "content": "What is consent?"}]
    tokens = tokenizer.apply_chat_template(messages, add_generation_prompt=True)

    assert tokens.count(tiny.BOS) == 1
    assert answered(whole).prompt_tokens == len(tokens)


def stopping(folder: Path) -> tuple[int, Answer]:
    """The first seed whose answer ends by itself, after a few words."""
    with opened(folder) as model:
        for seed in range(100):
            answer = model.answer(asking(seed=seed))
            if answer.finish_reason == "stop" and answer.completion_tokens > 3:
                return seed, answer
    raise AssertionError("no answer ends by itself")


@pytest.mark.parametrize(
    ("config", "generation"), [([1, 5], 1), (5, [1]), (1, 5), (1, [1, 5]), ([1, 5], None)]
)
def test_stop_tokens_come_from_both_settings_files(
    whole: Path, tmp_path: Path, config: Any, generation: Any
) -> None:
    folder = variant(
        whole,
        tmp_path / "tiny",
        config={"eos_token_id": config},
        generation_config={"eos_token_id": generation},
    )
    seed, expected = stopping(whole)

    assert answered(folder, seed=seed).text == expected.text


def test_a_stop_token_that_no_file_names_leaks(whole: Path, tmp_path: Path) -> None:
    one = {"eos_token_id": 1}
    folder = variant(whole, tmp_path / "tiny", config=one, generation_config=one)
    seed, expected = stopping(whole)
    answer = answered(folder, seed=seed)

    assert answer.text.startswith(expected.text + "<end_of_turn>")
    assert answer.control_tokens == ("<end_of_turn>",)
    assert outcome(answer) == "token_leak"


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("config.json", r"no config\.json"),
        ("tokenizer.json", "no tokenizer"),
        ("model.safetensors", "no weights"),
    ],
)
@pytest.mark.parametrize("door", [open_model, check])
def test_a_folder_without_a_file_is_refused(
    whole: Path, tmp_path: Path, door: Any, name: str, lacks: str
) -> None:
    folder = variant(whole, tmp_path / "tiny", without=(name,))

    with pytest.raises(ModelError, match=f"Model mlx:{folder} has {lacks}.*--model mlx:FOLDER"):
        door(f"mlx:{folder}")


@pytest.mark.parametrize(
    ("config", "lacks"),
    [("{", "no settings that can be read"), ("{}", 'no "model_type"'), ("3", "no settings")],
)
def test_a_broken_config_is_refused(whole: Path, tmp_path: Path, config: str, lacks: str) -> None:
    folder = variant(whole, tmp_path / "tiny")
    (folder / "config.json").write_text(config, encoding="utf-8")

    with pytest.raises(ModelError, match=lacks):
        check(f"mlx:{folder}")


def test_a_shard_that_the_index_names_must_be_there(whole: Path, tmp_path: Path) -> None:
    folder = variant(whole, tmp_path / "tiny")
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")

    assert complaint(whole) is None
    assert (complaint(folder) or "").startswith("no model-00002-of-00002.safetensors")


@pytest.mark.parametrize(
    ("settings", "cause"),
    [({"model_type": "nothing"}, "not supported"), ({"hidden_size": 32}, "ValueError")],
)
def test_what_mlx_can_not_load_is_told(
    whole: Path, tmp_path: Path, settings: dict[str, Any], cause: str
) -> None:
    folder = variant(whole, tmp_path / "tiny", config=settings)

    with pytest.raises(ModelError, match=rf"can't be loaded: .*{cause}"):
        open_model(f"mlx:{folder}")


def test_weights_cut_short_are_told(whole: Path, tmp_path: Path) -> None:
    folder = variant(whole, tmp_path / "tiny")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])

    with pytest.raises(ModelError, match="can't be loaded"):
        open_model(f"mlx:{folder}")


def test_a_model_without_a_chat_template_is_refused(whole: Path, tmp_path: Path) -> None:
    folder = variant(whole, tmp_path / "tiny", without=("chat_template.jinja",))

    with pytest.raises(ModelError, match="has no chat template"):
        open_model(f"mlx:{folder}")


def test_a_repository_that_can_not_be_had_is_told() -> None:
    with pytest.raises(ModelError, match="mlx:nobody/nothing is not on this machine"):
        open_model("mlx:nobody/nothing")


def test_a_repository_in_the_cache_is_known_by_its_commit(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "models--org--name"
    shutil.copytree(whole, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit, encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    model = open_model("mlx:org/name")
    answer = model.answer(asking())
    model.close()

    assert (model.url, answer.revision) == ("mlx:org/name", commit)


def test_a_copy_has_the_same_revision(whole: Path, tmp_path: Path) -> None:
    assert revision(variant(whole, tmp_path / "copy")) == revision(whole)


@pytest.mark.parametrize(
    "change",
    [
        {"template": REFUSES},
        {"config": {"eos_token_id": 1}},
        {"tokenizer_config": {"model_max_length": 9}},
    ],
)
def test_other_settings_are_another_revision(
    whole: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    assert revision(variant(whole, tmp_path / "other", **change)) != revision(whole)


def test_a_change_to_any_tensor_is_another_revision(whole: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights: Any = load_file(whole / "model.safetensors")
    seen = {revision(whole)}
    for name in weights:
        folder = variant(whole, tmp_path / name)
        file = folder / "model.safetensors"
        save_file({**weights, name: weights[name] + 1}, file, {"format": "mlx"})
        seen.add(revision(folder))

    assert len(seen) == 1 + len(weights)


def test_sampling_bounds_are_taken(whole: Path) -> None:
    with opened(whole) as model:
        free = model.answer(asking())
        everything = model.answer(asking(top_k=10**6, top_p=1.0, min_p=0.0))
        likeliest = [model.answer(asking(top_k=1, seed=seed)).text for seed in range(3)]

    assert free.text
    assert everything.text
    assert likeliest[0] == likeliest[1] == likeliest[2]


def test_no_tokens_can_not_be_asked_for(whole: Path) -> None:
    with opened(whole) as model, pytest.raises(ModelError, match="can't answer"):
        model.answer(asking(max_tokens=0))


def test_a_closed_model_answers_no_more(whole: Path) -> None:
    model = MlxModel(str(whole))
    with ThreadPoolExecutor(1) as thread:
        under_way = thread.submit(model.answer, asking(temperature=0.0, max_tokens=10**6))
        model.close()

    with pytest.raises(ModelError, match="was closed"):
        under_way.result()
    with pytest.raises(ModelError, match="was closed"):
        model.answer(asking())


@pytest.mark.parametrize("last", ["", "model.close()"])
def test_python_ends_well_with_a_model_open_or_closed(whole: Path, last: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", EXIT + last, f"mlx:{whole}"], capture_output=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
