"""Train the demonstration model: a Gemma-3 of a few million parameters that has read old books.

    python -m demo.train BOOKS OUT

BOOKS holds the books as *.txt, passages between blank lines. OUT gets `model`, which
`mlx_lm.load` reads, and `checkpoint`, from which the same command goes on after an interruption.
Every batch is drawn from the seed and its number alone, so an interruption changes nothing.

It runs on Apple's GPU, or on a CPU. MLX for Linux brings a BLAS that is ten times slower than
OpenBLAS; where that is installed, LD_PRELOAD=libopenblas.so.0 puts it in its place.
"""

import argparse
import json
import random
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx.nn.utils import value_and_grad
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.models.gemma3_text import Model, ModelArgs
from mlx_lm.utils import quantize_model

from demo.corpus import Chats, books, parted
from demo.vocabulary import BOS, END, EOS, learn, row, save

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHORT, LONG = 512, (1024, 1024, 2048, 1024, 1024, 3072)
"""How long a row is, in tokens; the long ones take turns near the end."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the demonstration model on books.")
    parser.add_argument("books", type=Path, help="folder with the books as *.txt")
    parser.add_argument("out", type=Path, help="folder for the model and the checkpoint")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--rows", type=int, default=2, help="rows of 512 tokens in a step")
    parser.add_argument(
        "--long",
        type=float,
        default=0.1,
        help="last part of the steps in which every third one has a row of up to 3,072 tokens",
    )
    parser.add_argument("--rate", type=float, default=0.02, help="learning rate of the matrices")
    parser.add_argument("--vocabulary", type=int, default=2560)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--bits", type=int, default=8, choices=(4, 8))
    parser.add_argument("--every", type=int, default=80, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def config(args: argparse.Namespace) -> dict[str, Any]:
    """Describe the model: the last layer sees everything, the others 256 tokens."""
    return {
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        "vocab_size": args.vocabulary,
        "hidden_size": args.width,
        "num_hidden_layers": args.layers,
        "intermediate_size": 3 * args.width,
        "num_attention_heads": args.width // 128,
        "num_key_value_heads": 1,
        "head_dim": 128,
        "query_pre_attn_scalar": 128,
        "sliding_window": 256,
        "sliding_window_pattern": args.layers,
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "rope_local_base_freq": 10_000.0,
        "tie_word_embeddings": True,
        "bos_token_id": BOS,
        "eos_token_id": [EOS, END],
        "pad_token_id": 0,
    }


def fresh(settings: dict[str, Any]) -> Any:
    """Make a model of random weights, whose output layer is its embedding."""
    model: Any = Model(ModelArgs.from_dict(settings))  # type: ignore[no-untyped-call]
    model.sanitize({})
    norms = {name: one * 0 for name, one in flat(model.parameters()).items() if one.ndim == 1}
    model.load_weights(list(norms.items()), strict=False)  # Gemma reads 0 as 1
    return model


def gelu(x: mx.array) -> mx.array:
    """Gemma's activation, as a sigmoid: MLX's own form costs a CPU twice as much."""
    return x * mx.sigmoid(1.5957691216 * (x + 0.044715 * x * x * x))


def flat(tree: Any) -> dict[str, Any]:
    """Name every array of a tree, as the files do."""
    return dict(tree_flatten(tree))


def optimizer(args: argparse.Namespace) -> optim.MultiOptimizer:
    """Muon for the matrices, Adam for embedding and norms; both slow down after 6 of 10 steps."""

    def rate(peak: float) -> Any:
        turns = [20, 6 * args.steps // 10]
        up, level = optim.linear_schedule(0.0, peak, 20), optim.linear_schedule(peak, peak, 1)
        down = optim.linear_schedule(peak, peak / 50, args.steps - turns[1])
        return optim.join_schedules([up, level, down], turns)

    # MLX adds Muon's decay to the gradient, where it soon outweighs what the text says.
    matrices = optim.Muon(rate(args.rate), momentum=0.95, weight_decay=0.0)
    rest = optim.AdamW(rate(args.rate / 5), betas=[0.9, 0.95], weight_decay=0.01)
    return optim.MultiOptimizer(
        [matrices, rest], [lambda name, weight: weight.ndim == 2 and "embed" not in name]
    )


def loss(model: Any, tokens: mx.array, learned: mx.array) -> mx.array:
    """Mean cross-entropy in nats of the tokens that are learned."""
    losses = nn.losses.cross_entropy(model(tokens[:, :-1]), tokens[:, 1:])
    weights = learned[:, 1:]
    return (losses * weights).sum() / mx.maximum(weights.sum(), 1)


Batch = tuple[mx.array, mx.array]


def batch(args: argparse.Namespace, tokenizer: "Tokenizer", chats: Chats, step: int) -> Batch:
    """Draw the batch of a step, which the seed and the step decide."""
    is_long = step >= (1 - args.long) * args.steps and step % 3 == 0
    size = LONG[step // 3 % len(LONG)] if is_long else SHORT
    count = max(1, args.rows * SHORT // size)
    chance = random.Random(f"{args.seed}/{step}")
    rows = [row(tokenizer, chats, chance, size + 1) for _ in range(count)]
    return mx.array([tokens for tokens, _ in rows]), mx.array([mask for _, mask in rows])


def held_out(args: argparse.Namespace, tokenizer: "Tokenizer", chats: Chats) -> list[Batch]:
    """Draw the batches that tell how good the model is: always the same, never learned."""
    chance = random.Random("held out")
    rows = [row(tokenizer, chats, chance, SHORT + 1) for _ in range(8)]
    return [(mx.array([tokens]), mx.array([mask])) for tokens, mask in rows]


def measure(model: Any, batches: list[Batch]) -> float:
    """Mean loss over batches."""
    return sum(float(loss(model, *one)) for one in batches) / len(batches)


def train(args: argparse.Namespace, model: Any, tokenizer: "Tokenizer", shelf: Any) -> None:
    """Train from the checkpoint on, or from the beginning; tell how it goes."""
    chats, unseen = shelf
    held = held_out(args, tokenizer, unseen)
    rates, state = optimizer(args), args.out / "checkpoint"
    rates.init(model.trainable_parameters())
    first = resume(model, rates, state)
    graded = value_and_grad(model, loss)
    began, seen, mean = time.monotonic(), 0, 0.0
    for step in range(first, args.steps):
        drawn = batch(args, tokenizer, chats, step)
        value, gradients = graded(model, *drawn)
        gradients, _ = optim.clip_grad_norm(gradients, 1.0)  # type: ignore[no-untyped-call]
        rates.update(model, gradients)
        mx.eval(value, model.state, rates.state)
        seen += drawn[0].size
        mean = value.item() if step == first else 0.95 * mean + 0.05 * value.item()
        if (step + 1) % args.every == 0 or step + 1 == args.steps:
            keep(model, rates, state, step + 1)
            export(args, model, tokenizer)
            pace = seen / (time.monotonic() - began)
            told = f"loss {mean:.3f}  held out {measure(model, held):.3f}  {pace:.0f} tokens/s"
            print(f"step {step + 1} of {args.steps}  {told}", flush=True)


def keep(model: Any, rates: Any, folder: Path, step: int) -> None:
    """Write a checkpoint beside the last one, then put it in its place."""
    draft = folder.with_suffix(".new")
    draft.mkdir(parents=True, exist_ok=True)
    model.save_weights(str(draft / "model.safetensors"))
    mx.save_safetensors(str(draft / "optimizer.safetensors"), flat(rates.state))
    (draft / "step.json").write_text(json.dumps(step), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def resume(model: Any, rates: Any, folder: Path) -> int:
    """Load a checkpoint where there is one; return the next step."""
    if not (folder / "step.json").exists():
        return 0
    model.load_weights(str(folder / "model.safetensors"))
    saved: Any = mx.load(str(folder / "optimizer.safetensors"))
    rates.state = tree_unflatten(list(saved.items()))
    return int(json.loads((folder / "step.json").read_text(encoding="utf-8")))


def export(args: argparse.Namespace, model: Any, tokenizer: "Tokenizer") -> None:
    """Write the model's folder, quantized."""
    folder = args.out / "model"
    folder.mkdir(parents=True, exist_ok=True)
    copy = fresh(config(args))
    copy.load_weights(list(flat(model.parameters()).items()))
    copy, settings = quantize_model(copy, config(args), group_size=64, bits=args.bits)
    weights = str(folder / "model.safetensors")
    mx.save_safetensors(weights, flat(copy.parameters()), {"format": "mlx"})
    ends = {"bos_token_id": BOS, "eos_token_id": [EOS, END]}
    for name, value in (("config", settings), ("generation_config", ends)):
        text = json.dumps(value, indent=2, sort_keys=True)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    save(tokenizer, folder)


def shelves(folder: Path) -> tuple[list[str], Chats, Chats]:
    """Read the books; return the texts learned, and chats of what is learned and held out."""
    pairs = [parted(book) for book in books(folder).values()]
    texts = [one.text for learned, _ in pairs for one in learned]
    return texts, Chats([learned for learned, _ in pairs]), Chats([held for _, held in pairs])


def main() -> None:
    """Train as the command line says."""
    args = arguments()
    mx.random.seed(args.seed)
    nn.gelu_approx = gelu  # type: ignore[attr-defined]
    texts, *shelf = shelves(args.books)
    tokenizer = learn(texts, args.vocabulary)
    args.vocabulary = tokenizer.get_vocab_size()
    model = fresh(config(args))
    size = sum(weight.size for weight in flat(model.parameters()).values())
    count = sum(len(tokenizer.encode(text).ids) for text in texts)
    print(f"{size:,} parameters, {count:,} tokens of text", flush=True)
    train(args, model, tokenizer, shelf)


if __name__ == "__main__":
    main()
