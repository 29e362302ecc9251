"""What a model answered, read as a draft."""

import pytest

from agents.drafting import Wish
from agents.drafts import read
from streams.errors import ConfigError
from tests.events import generated, probed, requested

WISH = Wish("perspectives", "health/data: all", "pt-BR")
ASKED = requested(probed(WISH.named(7), "Write one."), phase="draft")


def test_a_wish_stands_in_the_id_that_is_asked_for() -> None:
    assert Wish.of(WISH.named(12)) == WISH


@pytest.mark.parametrize(
    ("response", "prompt", "names"),
    [
        ("A case.\n\nStakeholders: Ann; Mr Bo", "A case.", ("Ann", "Mr Bo")),
        ("A\n case.\n**Stakeholders:** *Ann*, Mr Bo.", "A case.", ("Ann", "Mr Bo")),
        ("**Scenario:** A case.\nSTAKEHOLDERS : Ann;", "A case.", ("Ann",)),
        ("A case for stakeholders: all of them.", "A case for stakeholders: all of them.", ()),
        ("Stakeholders: Ann", "", ("Ann",)),
        (" \n", "", ()),
    ],
)
def test_a_paragraph_and_those_in_it_are_told_apart(
    response: str, prompt: str, names: tuple[str, ...]
) -> None:
    found = read(generated(ASKED, response=response))

    assert (found.prompt, found.stakeholders, found.wish) == (prompt, names, WISH)


def test_the_id_follows_from_the_text() -> None:
    one, same, other = (
        read(generated(ASKED, response=text)).name for text in ("One.", " One. ", "Other.")
    )

    assert one == same != other
    assert one.startswith("D_HEALTH_DATA_ALL_")


def test_an_answer_of_another_phase_is_no_draft() -> None:
    with pytest.raises(ConfigError, match='is no draft: its phase is "1"'):
        read(generated())
