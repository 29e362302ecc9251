"""From books to chats: what the demonstration model reads.

A chat is a question and the passage of a book that follows it. Each draw begins and ends
elsewhere, so that a book can be read ten times without being seen twice in the same words.
"""

import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BEGINNINGS = (
    "Having read with great pleasure a pamphlet",
    "The subject of this Essay is not",
    "I. Of my grandfather Verus",
)
"""How an author's own text begins, where an editor's stands before it."""

ENDINGS = ("M. CORNELIUS FRONTO was a Roman", "Creating the works from", "***** This file")
"""How what follows an author's text begins: letters, notes, licences."""

ABBREVIATIONS = ("Mr.", "Mrs.", "Dr.", "St.", "M.", "i.e.", "e.g.", "Esq.", "No.", "vol.", "p.")

BLOCK, HELD = 120, 6
"""Of every so many sentences the last six are held out."""

ASKS = (
    "What do you say of {}?",
    "What should we think about {}?",
    "Speak to me of {}.",
    "Give me your counsel on {}.",
    "How should one judge {}?",
    "Say what you believe about {}, and why.",
    "Design a just answer to the matter of {}.",
)
"""How a topic is asked for."""

TURNS = (
    "What is to be done?",
    "What do you advise, and to whom?",
    "Say who may decide, and what is owed.",
    "How should we decide?",
    "What would you do?",
    "Should it be so?",
    "Write what you would want said.",
)
"""What may stand behind a case."""


class Sentence(NamedTuple):
    """A sentence, and whether a passage begins with it."""

    text: str
    opens: bool


class Chat(NamedTuple):
    """A question and its answer, maybe behind a system message."""

    system: str
    user: str
    answer: str


def books(folder: Path) -> dict[str, list[Sentence]]:
    """Read every text file of a folder, without what is not the author's.

    Raises:
        SystemExit: There is none.
    """
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise SystemExit(f"No *.txt file is in {folder}; name the folder that holds the books.")
    return {file.stem: list(_sentences(file.read_text(encoding="utf-8"))) for file in files}


def parted(sentences: list[Sentence]) -> tuple[list[Sentence], list[Sentence]]:
    """Part a book into what is learned and what is held out."""
    held = [n % BLOCK >= BLOCK - HELD for n in range(len(sentences))]
    learned = [one for one, out in zip(sentences, held, strict=True) if not out]
    return learned, [one for one, out in zip(sentences, held, strict=True) if out]


def _sentences(text: str) -> Iterator[Sentence]:
    for passage in _own(text.split("\n\n")):
        found = [one for one in _cut(_clean(passage)) if _is_prose(one)]
        yield from (Sentence(one, number == 0) for number, one in enumerate(found))


def _own(passages: list[str]) -> list[str]:
    """Keep what the author wrote."""
    bare = [re.sub(r"^\[\d+\] ", "", passage.strip()) for passage in passages]
    first = next((n for n, one in enumerate(bare) if one.startswith(BEGINNINGS)), 0)
    last = next((n for n, one in enumerate(bare) if n > first and one.startswith(ENDINGS)), None)
    return bare[first:last]


def _clean(passage: str) -> str:
    text = re.sub(r"\[(Pg )?\w{1,6}\]|_|^[IVXLC]+\. ", " ", passage)
    text = re.sub("[“”]", '"', re.sub("[‘’]", "'", text))  # noqa: RUF001  # as they stand in the books
    text = re.sub(r"\s*(--+|—|–)\s*", "\0", text.replace("æ", "ae").replace("œ", "oe"))  # noqa: RUF001
    text = unicodedata.normalize("NFKD", text)
    text = "".join(char for char in text if not unicodedata.combining(char))
    return re.sub(r"\s+", " ", text).replace(" ,", ",").replace("\0", "—").strip()


def _cut(text: str) -> Iterator[str]:
    start = 0
    for gap in re.finditer(r"[.!?][\"')]*( )(?=[\"'(]?[A-Z])", text):
        sentence = text[start : gap.start(1)]
        if not sentence.endswith(ABBREVIATIONS):
            yield sentence
            start = gap.end()
    yield text[start:]


def _is_prose(text: str) -> bool:
    letters = sum(char.islower() or char == " " for char in text)
    is_latin = all(char.isascii() or char == "—" for char in text)
    return len(text) > 12 and is_latin and letters > 0.85 * len(text) and text[-1] in ".!?\"')"


class Chats:
    """Draws chats from sentences."""

    def __init__(self, shelf: list[list[Sentence]]) -> None:
        self._shelf = shelf
        self._sizes = [len(book) for book in shelf]
        words = (word for book in shelf for one in book for word in _words(one.text))
        self._counts = Counter(words)

    def draw(self, chance: random.Random, system: int = 0) -> Chat:
        """Draw a chat; its system message has about so many words.

        Half of the system messages are plain text, half have the form of settings or lists, since
        kernels come as either.
        """
        book = chance.choices(self._shelf, self._sizes)[0]
        start = chance.randrange(len(book))
        while start and not book[start].opens and chance.random() < 0.7:
            start -= 1
        answer = _answer(book[start:], chance.randint(45, 130))
        before = book[max(0, start - 6) : start]
        return Chat(self._system(chance, system), self._user(chance, before, answer), answer)

    def _user(self, chance: random.Random, before: list[Sentence], answer: str) -> str:
        topics = self._topics(chance, answer)
        kind = chance.random()
        ask = chance.choice(ASKS).format(" and ".join(topics))
        if not topics or (kind < 0.4 and before):
            case = " ".join(one.text for one in before[-chance.randint(1, 5) :])
            case = " ".join(case.split()[-90:])
            return f"{case} {chance.choice((*TURNS, ask))}".strip()
        return ask if kind < 0.85 else f"{ask} {chance.choice(TURNS)}"

    def _topics(self, chance: random.Random, answer: str) -> list[str]:
        """Choose words that this answer has and most others lack."""
        known = {word for word in _words(answer) if 3 <= self._counts[word] <= 150}
        rare = sorted(known, key=lambda word: (self._counts[word], word))[:12]
        return chance.sample(rare, min(len(rare), chance.randint(1, 3)))

    def _system(self, chance: random.Random, words: int) -> str:
        if not words:
            return ""
        lines = list[str]()
        book = chance.choices(self._shelf, self._sizes)[0]
        start = chance.randrange(len(book))
        while words > 0:
            lines.append(book[start % len(book)].text)
            words, start = words - len(lines[-1].split()), start + 1
        return chance.choice((" ".join, " ".join, _settings, _listed))(lines)


def _answer(sentences: list[Sentence], least: int) -> str:
    """Take whole sentences, until there are enough words or the next is too long."""
    text, words = sentences[0].text, len(sentences[0].text.split())
    for one in sentences[1:]:
        length = len(one.text.split())
        if words >= least or (words > 40 and words + length > 190):
            break
        text += ("\n\n" if one.opens else " ") + one.text
        words += length
    return text


def _words(text: str) -> list[str]:
    return re.findall(r"\b[a-z]{5,}\b", text)


def _settings(lines: list[str]) -> str:
    names = [line.split()[0].strip('",.').lower() for line in lines]
    rows = [[number, *pair] for number, pair in enumerate(zip(names, lines, strict=True), 1)]
    return json.dumps({"use": {"mode": names[0]}, "ground": rows, "when": {names[-1]: [1, 3]}})


def _listed(lines: list[str]) -> str:
    rows = (f"{n}. {line}" if n % 3 else f"## {line}\n\n- {n}" for n, line in enumerate(lines))
    return "# " + "\n".join(rows)
