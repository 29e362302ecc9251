"""Where the kernel stands in an ask, and that old requests and runs are what they were."""

import msgspec
import pytest

import kernel
from agents.asking import asked, plain, sandwich, texts
from schemas import Kernel, Requested, Started
from schemas.codec import decode, encode
from streams import ids
from tests.events import requested, started

TEXT = "lek-1.txt"


def under(given: Kernel | None) -> Requested:
    """A request under a kernel."""
    return requested(
        kernel=given.name if given else None,
        kernel_digest=given.digest if given else None,
        arrangement=given.arrangement if given else "system",
    )


def test_without_a_kernel_the_prompt_stands_alone() -> None:
    ask = asked(under(None), None)

    assert (ask.system, ask.prompt) == (None, "What is fair here?")


def test_a_plain_kernel_is_the_system_message_as_it_stands() -> None:
    given = plain(TEXT)
    ask = asked(under(given), given)

    assert (ask.system, ask.prompt) == (kernel.text(TEXT), "What is fair here?")


def test_a_sandwich_has_the_axioms_before_and_the_kernel_behind_the_prompt() -> None:
    given = sandwich(TEXT)
    ask = asked(under(given), given)

    assert ask.system == kernel.text("axioms.json")
    assert ask.prompt.startswith("What is fair here?\n\n---\n\n")
    assert ask.prompt.endswith(f"\n\n{kernel.text(TEXT)}")
    assert "axioms" not in ask.prompt


def test_the_log_tells_the_whole_ask_though_the_files_have_changed() -> None:
    """What stands in the run is used, not what stands in the package now."""
    given = msgspec.structs.replace(sandwich(TEXT), text="K", axioms="A")
    ask = asked(under(given), given)

    assert (ask.system, ask.prompt) == ("A", "What is fair here?\n\nK")


def test_the_seed_follows_from_the_request() -> None:
    request = under(None)

    assert asked(request, None).seed == ids.seed(request.id)


def test_a_sandwich_is_another_question_than_its_kernel_alone() -> None:
    assert len({ids.of(under(given)) for given in (None, plain(TEXT), sandwich(TEXT))}) == 3


@pytest.mark.parametrize("field", ["text", "axioms"])
def test_both_texts_of_a_sandwich_are_in_its_digest(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sandwich(TEXT)
    changed = TEXT if field == "text" else "axioms.json"
    real = kernel.text
    monkeypatch.setattr(kernel, "text", lambda name: real(name) + "!" * (name == changed))

    assert sandwich(TEXT).digest != before.digest
    assert getattr(sandwich(TEXT), field) != getattr(before, field)


def test_a_plain_kernel_has_the_digest_that_it_had() -> None:
    """By it the ids of old requests and runs were made."""
    assert plain(TEXT).digest == kernel.digest(TEXT)


def test_all_that_a_model_was_given_is_kept_from_training() -> None:
    both = texts(sandwich(TEXT))

    assert texts(None) == {}
    assert texts(plain(TEXT)) == {TEXT: kernel.text(TEXT)}
    assert both["axioms.json"] == kernel.text("axioms.json")
    assert kernel.text(TEXT) in both[f"sandwich:{TEXT}"]


def test_an_old_request_reads_as_one_whose_kernel_is_the_system_message() -> None:
    request = requested()
    fields = msgspec.json.decode(encode(request))
    del fields["arrangement"]
    old = decode(msgspec.json.encode(fields))

    assert isinstance(old, Requested)
    assert (old.arrangement, old.id, ids.of(old)) == ("system", request.id, request.id)


def test_an_old_run_reads_as_one_whose_kernel_is_the_system_message() -> None:
    run = started()
    fields = msgspec.json.decode(encode(run))
    del fields["kernel"]["axioms"]
    old = decode(msgspec.json.encode(fields))

    assert isinstance(old, Started)
    assert old.kernel
    assert (old.kernel.arrangement, ids.of(old)) == ("system", run.id)


def test_the_arrangement_is_no_part_of_an_id() -> None:
    """The digest says it already; a second word would change the ids of old requests."""
    request = requested()

    assert ids.of(msgspec.structs.replace(request, arrangement="sandwich")) == request.id
