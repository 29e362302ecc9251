"""Which prompts an expansion asks, and which of them first."""

from agents.expand import asked_elsewhere, pending, rarest_first, written
from schemas import Probed
from streams.ids import digest
from streams.log.store import EmbeddedStore
from tests.events import probed, put, requested


def names(probes: list[Probed]) -> list[str]:
    return [each.probe for each in probes]


def test_a_prompt_is_asked_once_whatever_it_is_called() -> None:
    found = pending([probed("A", "Why?"), probed("B", "Why?"), probed("C", "why?")], least=1)

    assert names(found) == ["A", "C"]


def test_short_prompts_are_left_out_by_characters() -> None:
    found = pending([probed("A", "ééé"), probed("B", "éé")], least=3)

    assert names(found) == ["A"]


def test_what_another_phase_asked_is_left_out_under_any_name(store: EmbeddedStore) -> None:
    put(store, requested(probed("gold", "Gold?"), phase="1"))
    put(store, requested(probed("mine", "Mine?"), phase="expansion"))

    gone = asked_elsewhere(store, "expansion")
    found = pending([probed("A", "Gold?"), probed("B", "Mine?")], least=1, left_out=gone)

    assert gone == {digest("Gold?")}
    assert names(found) == ["B"]


def test_voices_are_written_and_rephrasings_are_not() -> None:
    voice = probed("P_elder", rephrasing_of="P", kind="perspective", voice="elder")
    rephrasing = probed("P_R_PERS", rephrasing_of="P", kind="perspective")

    assert list(written([probed("P"), rephrasing, voice])) == [probed("P"), voice]


def test_rare_domains_come_first_and_else_the_order_of_the_log() -> None:
    domains = ("law", "art", "law", "sea", "Art", "law")
    probes = [probed(f"P{n}", f"{n}?", domain=domain) for n, domain in enumerate(domains)]

    assert names(rarest_first(probes, probes)) == ["P3", "P1", "P4", "P0", "P2", "P5"]


def test_a_domain_is_as_large_as_it_is_on_the_whole_log() -> None:
    """One that is rare among what is left may be well covered by what was asked."""
    left = [probed("A", "1?", domain="law"), probed("B", "2?", domain="sea")]
    every = [*left, *(probed(f"C{n}", f"c{n}?", domain="law") for n in range(3))]

    assert names(rarest_first(left, every)) == ["B", "A"]
