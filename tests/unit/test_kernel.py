"""What the kernels promise to those who give them to a model."""

import hashlib
import json
from typing import Any

import pytest

import kernel


def test_every_kernel_that_is_listed_has_a_text() -> None:
    assert kernel.names() == ("axioms.json", "lek-1.json", "lek-1.txt")
    assert all(kernel.text(name).strip() for name in kernel.names())


@pytest.mark.parametrize("name", ["lek-2.json", "", "__init__.py", "../pyproject.toml"])
def test_an_unknown_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(LookupError, match=r"there are axioms\.json, lek-1\.json, lek-1\.txt"):
        kernel.text(name)


@pytest.mark.parametrize("name", ["axioms.json", "lek-1.json", "lek-1.txt"])
def test_the_digest_is_that_of_the_text_a_model_is_given(name: str) -> None:
    assert kernel.digest(name) == hashlib.sha256(kernel.text(name).encode("utf-8")).hexdigest()


def test_the_axioms_come_in_their_order_of_precedence() -> None:
    assert [(axiom.id, axiom.name) for axiom in kernel.axioms()] == [
        (1, "Prime Imperative"),
        (2, "Self-Validation"),
        (3, "Intent-Driven Alignment"),
        (4, "Inter-Substrate Respect"),
        (5, "Benevolent Intervention"),
    ]


def test_every_axiom_says_what_it_holds_does_and_how_it_speaks() -> None:
    for axiom in kernel.axioms():
        assert axiom.statement.endswith(".")
        assert axiom.function.endswith(".")
        assert axiom.resolution.startswith("I ")


@pytest.mark.parametrize(
    ("name", "least", "most"), [("lek-1.json", 1_800, 2_200), ("lek-1.txt", 8_800, 9_400)]
)
def test_a_kernel_keeps_the_size_that_prompts_are_planned_with(
    name: str, least: int, most: int
) -> None:
    assert least <= len(kernel.text(name).encode()) <= most


@pytest.mark.parametrize("name", ["lek-1.json", "lek-1.txt"])
def test_a_kernel_carries_all_five_axioms(name: str) -> None:
    text = kernel.text(name)

    assert [axiom.name for axiom in kernel.axioms() if axiom.name not in text] == []


@pytest.mark.parametrize("name", ["axioms.json", "lek-1.json"])
def test_a_json_kernel_is_one_document_without_repeated_keys(name: str) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(set(keys)) == len(keys)
        return dict(pairs)

    assert json.loads(kernel.text(name), object_pairs_hook=unique)
