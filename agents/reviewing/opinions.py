"""Of what several people said of one generation, the review that counts."""

from collections.abc import Iterable

from schemas import Reviewed


def counting(said: Iterable[Reviewed]) -> Reviewed | None:
    """The latest of the reviewers' last words, as the view `verdicts` has it.

    Who withdraws takes back their own word alone; the others' stand.

    Args:
        said: All reviews of one generation, in the order of the log.
    """
    last: dict[str, Reviewed] = {}
    for each in said:
        last.pop(each.reviewer, None)  # so that the latest stands at the end
        last[each.reviewer] = each
    standing = [each for each in last.values() if each.verdict != "withdrawn"]
    return standing[-1] if standing else None
