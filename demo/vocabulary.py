"""The tokenizer and the chat template of the demonstration model."""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from demo.corpus import Chat, Chats

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONTROL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
"""The control tokens, in the order of their ids, which begin at 0."""

BOS, EOS, END = 2, 1, 5

TEMPLATE = """\
{{- bos_token -}}
{%- set ns = namespace(system='') -%}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}
        {%- set ns.system = message.content | trim + '\\n\\n' -%}
    {%- else -%}
        {{- '<start_of_turn>' + ('model' if message.role == 'assistant' else 'user') + '\\n' -}}
        {{- ns.system + message.content | trim + '<end_of_turn>\\n' -}}
        {%- set ns.system = '' -%}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<start_of_turn>model\\n' -}}
{%- endif -%}
"""
"""A system message has no turn of its own: it stands before the next user's text, as in Gemma."""

ASCII = 'abcdefghijklmnopqrstuvwxyz {"a": [1, "b", 2.5], "c": {"d": [3, 4]}}\n# A\n\n- b\n- c\n'


def learn(texts: Iterable[str], size: int) -> "Tokenizer":
    """Learn a byte-level BPE of `size` entries; the same texts give the same one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(CONTROL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*texts, *[ASCII] * 50], trainer)
    return tokenizer


def save(tokenizer: "Tokenizer", folder: Path) -> None:
    """Write the files that `mlx_lm.load` makes a tokenizer of."""
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 32768,
    }
    text = json.dumps(settings, indent=2, sort_keys=True)
    (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")


def row(tokenizer: "Tokenizer", chats: Chats, chance: random.Random, size: int) -> "Row":
    """Fill a row of `size` tokens with chats; a long one begins with a system message.

    Returns:
        The tokens, and for each whether the model is to learn it: a system message is only read.
    """
    words = chance.randint(size // 5, size // 2) if size > 1000 else 0
    tokens, learned = list[int](), list[bool]()
    while len(tokens) < size:
        for text, is_learned in parts(chats.draw(chance, words)):
            ids = tokenizer.encode(text).ids
            tokens += ids
            learned += [is_learned] * len(ids)
        words = 0
    return tokens[:size], learned[:size]


Row = tuple[list[int], list[bool]]


def parts(chat: Chat) -> list[tuple[str, bool]]:
    """Render a chat as the template does; say of each part whether it is learned."""
    system = f"{chat.system}\n\n" if chat.system else ""
    return [
        ("<bos><start_of_turn>user\n", False),
        (system, False),
        (f"{chat.user}<end_of_turn>\n<start_of_turn>model\n{chat.answer}<end_of_turn>\n", True),
    ]
