"""Words that say little by themselves, from `stopwords.txt`: a paragraph for each language."""

import re
from importlib.resources import files


def _read() -> dict[str, frozenset[str]]:
    told = files("agents").joinpath("stopwords.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z]+):(.*(?:\n  .*)*)", told, re.MULTILINE)
    return {language: frozenset(words.split()) for language, words in found}


COMMON = _read()
"""By the language's primary tag."""
ENGLISH = COMMON["en"]
