"""A Gemma-3 of random weights, built on the spot: real MLX inference where no model can be had.

It speaks words without sense. What is real is everything around them: the tokenizer, the chat
template, the caches, the sampler, the stop tokens.

How often an answer ends by itself is set on purpose. The first number of every hidden state is
kept free: each input embedding sets it to the same value and no layer adds to it. So the first
number of a row of the output layer is a bias: 0 for whole words, far below for bytes, fragments
and control tokens, and for the end of a turn as much as makes it about every eightieth token.
At temperatures from 0.7 to 1, 45 of 100 answers then end within 48 tokens, whatever the seed.
"""

import json
import math
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Weights = dict[str, NDArray[np.float32]]

CONTROL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
"""The control tokens, in the order of their ids, which begin at 0."""

BOS, EOS, END = 2, 1, 5
"""The ids that the configuration names; the last is the end of a turn."""

PIECES = 1200
"""How many pieces are learned from the corpus, at most."""

WIDTH, LAYERS, HEAD, INNER = 64, 2, 16, 128
"""The shape: about 250,000 parameters. One narrow head, since attention is most of the prefill."""

FIRST, RARITY = 4.6, 25
"""What the first number of a hidden state comes to after the last norm; how seldom answers end.
Both are measured."""

TEMPLATE = """\
{{ bos_token }}
{%- set start = 1 if messages[0].role == 'system' else 0 %}
{%- for message in messages[start:] %}
    {%- if (message.role == 'user') != (loop.index0 is even) %}
        {{- raise_exception('After the system message, user and assistant take turns') }}
    {%- endif %}
    {{- '<start_of_turn>' + ('user' if message.role == 'user' else 'model') + '\\n' }}
    {%- if loop.first and start %}
        {{- messages[0].content | trim + '\\n\\n' }}
    {%- endif %}
    {{- message.content | trim + '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<start_of_turn>model\\n' }}
{%- endif %}"""
"""Like Gemma's, it has no turn for a system message and puts it before the first user's text."""


def build(folder: Path, *, seed: int = 0, corpus: Iterable[str] | None = None) -> Path:
    """Build the model in `folder`, whole or not at all, unless it stands there already.

    Args:
        folder: Where it goes; the same seed and corpus give the same bytes.
        seed: Other weights for another seed.
        corpus: What the tokenizer learns its pieces from; the kernel's texts by default.

    Raises:
        ModelError: Something else is in `folder`.
    """
    from agents.models.files import complaint

    if complaint(folder) is None:
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(draft, _tokenizer(_kernel_texts() if corpus is None else corpus), seed)
        draft.chmod(0o755)  # a temporary folder is closed to others
        draft.rename(folder)
    except OSError as error:
        # Another process may have been faster: its model is as good as this one.
        if problem := complaint(folder):
            raise ModelError(
                f"No tiny model can be built in {folder}: it has {problem}, and {error}; "
                f"remove it, or name another folder."
            ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _kernel_texts() -> Iterator[str]:
    from kernel import text

    return map(text, ("lek-1.txt", "lek-1.json"))


def _write(folder: Path, tokenizer: "Tokenizer", seed: int) -> None:
    """Write the files that `mlx_lm.load` reads."""
    from safetensors.numpy import save_file

    tokenizer.save(str(folder / "tokenizer.json"))
    _dump(folder / "config.json", _config(tokenizer.get_vocab_size()))
    _dump(folder / "generation_config.json", {"bos_token_id": BOS, "eos_token_id": [EOS, END]})
    _dump(folder / "tokenizer_config.json", _tokenizer_config())
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    save_file(_weights(tokenizer, seed), folder / "model.safetensors", {"format": "mlx"})
    (folder / "model.safetensors").chmod(0o644)


def _dump(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _config(vocabulary: int) -> dict[str, Any]:
    return {
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "intermediate_size": INNER,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "head_dim": HEAD,
        "query_pre_attn_scalar": HEAD,
        "sliding_window": 512,
        "sliding_window_pattern": 2,
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "rope_local_base_freq": 10_000.0,
        "tie_word_embeddings": False,
        "bos_token_id": BOS,
        "eos_token_id": [EOS, END],
        "pad_token_id": 0,
    }


def _tokenizer_config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 32768,
    }


def _tokenizer(corpus: Iterable[str]) -> "Tokenizer":
    """Make a tokenizer built as Gemma's: control tokens, 256 bytes, then pieces with `▁`."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors

    pieces, merges = _learned(corpus)
    names = dict.fromkeys([*CONTROL, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces])
    vocabulary = {name: index for index, name in enumerate(names)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = _words()
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.post_processor = processors.TemplateProcessing("<bos> $A", None, [("<bos>", BOS)])
    tokenizer.add_special_tokens(list(CONTROL))
    return tokenizer


def _learned(corpus: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Train byte-pair encoding; return the pieces in the order of their ids, and the merges."""
    from tokenizers import Tokenizer, models, normalizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = _words()
    trainer = trainers.BpeTrainer(vocab_size=PIECES, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), list(map(tuple, model["merges"]))


def _words() -> Any:
    """Cut before each word, so that a piece is at most one word with the space before it."""
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Split(Regex(r"▁?\w+|▁?[^\w▁]|▁+"), "isolated")


def _weights(tokenizer: "Tokenizer", seed: int) -> "Weights":
    """Draw the weights; a norm's are 0, which Gemma reads as 1."""
    import numpy as np

    draw = np.random.default_rng(seed)
    biases = _biases([tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())])
    rows, columns = draw.normal(0, 0.125, (2, len(biases), WIDTH))
    columns *= 2  # else the end of a turn would be the likeliest piece of all
    rows[:, 0] = 1
    columns[:, 0] = biases
    columns[END, 1:] = 0  # else the seed, not the bias, says how often an answer ends
    tables = {"model.embed_tokens.weight": rows, "lm_head.weight": columns}
    norm = {"model.norm.weight": np.zeros(WIDTH)}
    layers = chain.from_iterable(_layer(number, draw) for number in range(LAYERS))
    drawn = chain(tables.items(), norm.items(), layers)
    return {name: values.astype(np.float32) for name, values in drawn}


def _biases(pieces: list[str]) -> list[float]:
    """Say for each piece how likely it is made, as the first number of its row."""
    words = [bool(re.fullmatch(r"▁[^\W\d_]{2,}|[.,;:?!]", piece)) for piece in pieces]
    biases = [0.0 if is_word else -3.0 for is_word in words]
    biases[END] = math.log(max(1, sum(words) / RARITY)) / FIRST
    return biases


def _layer(number: int, draw: "np.random.Generator") -> "Iterator[tuple[str, NDArray[Any]]]":
    import numpy as np

    sizes = {
        "self_attn.q_proj": (HEAD, WIDTH),
        "self_attn.k_proj": (HEAD, WIDTH),
        "self_attn.v_proj": (HEAD, WIDTH),
        "self_attn.o_proj": (WIDTH, HEAD),
        "mlp.gate_proj": (INNER, WIDTH),
        "mlp.up_proj": (INNER, WIDTH),
        "mlp.down_proj": (WIDTH, INNER),
    }
    for name, size in sizes.items():
        yield f"model.layers.{number}.{name}.weight", draw.normal(0, size[1] ** -0.5, size)
    for name in ("self_attn.q_norm", "self_attn.k_norm"):
        yield f"model.layers.{number}.{name}.weight", np.zeros(HEAD)
    for name in ("input", "pre_feedforward"):
        yield f"model.layers.{number}.{name}_layernorm.weight", np.zeros(WIDTH)
    # Half of what Gemma adds, and nothing to the first number.
    added = np.where(np.arange(WIDTH) == 0, -1.0, -0.5)
    for name in ("post_attention", "post_feedforward"):
        yield f"model.layers.{number}.{name}_layernorm.weight", added
