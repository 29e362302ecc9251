"""The tiny model as a GGUF file, for servers that are built on llama.cpp.

Its tokenizer becomes one of SentencePiece: what was merged earlier has the higher score. llama.cpp
takes other layers for global ones, so that it answers otherwise than MLX does.
"""

import json
import re
from pathlib import Path
from typing import Any

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def converted(folder: Path, file: Path) -> Path:
    """Write the tiny model of `folder` to `file`."""
    import mlx.core as mx

    weights: Any = mx.load(str(folder / "model.safetensors"))
    arrays = {_name(name): values + ("norm" in name) for name, values in weights.items()}
    config = json.loads((folder / "config.json").read_text())
    mx.save_gguf(str(file), arrays, {**_shape(config), **_tokenizer(folder, config)})
    return file


def _name(name: str) -> str:
    stem, layer = name.removesuffix(".weight"), ""
    if match := re.fullmatch(r"model\.layers\.(\d+)\.(.+)", stem):
        layer, stem = f"blk.{match[1]}.", match[2]
    return f"{layer}{NAMES[stem]}.weight"


def _shape(config: dict[str, Any]) -> dict[str, Any]:
    import mlx.core as mx

    whole = {
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "block_count": config["num_hidden_layers"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.key_length": config["head_dim"],
        "attention.value_length": config["head_dim"],
        "attention.sliding_window": config["sliding_window"],
    }
    parts = {
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "rope.freq_base": config["rope_theta"],
    }
    return {
        "general.architecture": "gemma3",
        **{f"gemma3.{name}": mx.array(value, mx.uint32) for name, value in whole.items()},
        **{f"gemma3.{name}": mx.array(value, mx.float32) for name, value in parts.items()},
    }


def _tokenizer(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    import mlx.core as mx

    found = json.loads((folder / "tokenizer.json").read_text())
    pieces = sorted(found["model"]["vocab"], key=found["model"]["vocab"].get)
    merged = {"".join(pair): -float(at) for at, pair in enumerate(found["model"]["merges"])}
    last = -float(len(merged))
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.scores": mx.array([merged.get(each, last) for each in pieces]),
        "tokenizer.ggml.token_type": mx.array([_kind(each, found) for each in pieces], mx.int32),
        "tokenizer.ggml.bos_token_id": mx.array(config["bos_token_id"], mx.uint32),
        "tokenizer.ggml.eos_token_id": mx.array(config["eos_token_id"][1], mx.uint32),
        "tokenizer.ggml.unknown_token_id": mx.array(pieces.index("<unk>"), mx.uint32),
        "tokenizer.chat_template": (folder / "chat_template.jinja").read_text(),
    }


def _kind(piece: str, found: dict[str, Any]) -> int:
    if piece == "<unk>":
        return UNKNOWN
    if piece in {each["content"] for each in found["added_tokens"]}:
        return CONTROL
    return BYTE if re.fullmatch(r"<0x[0-9A-F]{2}>", piece) else NORMAL
