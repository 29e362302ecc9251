"""Chat rows as models are trained on, and bare pairs of prompt and response.

Nothing in them says who answered. Of a conversation the last reply is the response, and all that
was said before it is the prompt.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from agents.importing.probes import probe
from agents.importing.rows import BadRow, needed, number, said, text
from agents.importing.told import UNRECORDED, About, Recorded, Score, Told
from schemas import Kernel

SCORER = "recorded@score"
_NAMES = {"user": "User", "assistant": "Assistant"}


def read(value: dict[str, Any], about: About) -> Iterator[Told]:
    """The response of a row.

    Raises:
        BadRow: It is no conversation that ends with a reply.
    """
    if "messages" in value:
        asked, response, system = exchange(value)
        yield Recorded(
            probe=probe(value, prompt=asked), response=response, kernel=system or UNRECORDED
        )
        return
    score = number(value, "score")
    yield Recorded(
        probe=probe(value),
        response=said(value),
        kernel=UNRECORDED,
        scores=() if score is None else (Score(scorer=SCORER, score=score),),
    )


def exchange(row: dict[str, Any]) -> tuple[str, str, Kernel | None]:
    """Prompt, response, and the system prompt where there was one.

    Raises:
        BadRow: The messages are no conversation that ends with a reply.
    """
    turns, system = _turns(row.get("messages"))
    if len(turns) < 2 or turns[-1]["role"] != "assistant":
        raise BadRow('has "messages" that don\'t end with a reply of the assistant to a user')
    *before, last = turns
    said_before = [(_NAMES[turn["role"]], needed(turn, "content")) for turn in before]
    alone = len(before) == 1
    prompt = "\n\n".join(words if alone else f"{who}: {words}" for who, words in said_before)
    return prompt, said(last, "content"), system


def _turns(messages: Any) -> tuple[list[dict[str, Any]], Kernel | None]:
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise BadRow('has "messages" that are no list of messages')
    system = None
    if messages and messages[0].get("role") == "system" and text(messages[0], "content"):
        words = said(messages[0], "content")
        digest = hashlib.sha256(words.encode()).hexdigest()
        system = Kernel(name="system", digest=digest, text=words)
    turns = [each for each in messages if each.get("role") != "system"]
    if strange := [each.get("role") for each in turns if each.get("role") not in _NAMES]:
        raise BadRow(f"has a message of an unknown role: {strange[0]!r}")
    return turns, system
