"""What a model is asked for a request: where the prompt stands, and where the kernel.

Pure: the same request under the same kernel is always the same ask.
"""

import kernel
from agents.models import Ask
from schemas import Kernel, Requested
from streams.ids import digest, seed

_AXIOMS = "axioms.json"
_BEHIND = (
    "---\n\nBefore you answer, take in what stands below and think from it. Speak to what was asked"
    " above, not of this:\n\n"
)


def asked(requested: Requested, given: Kernel | None) -> Ask:
    """What the model is asked; its seed follows from the request, which so can be repeated.

    Args:
        requested: What is wanted.
        given: The run's kernel, as the log has it; none for a run without one.
    """
    system, prompt = None, requested.prompt
    if given and requested.arrangement == "sandwich":
        system, prompt = given.axioms, f"{prompt}\n\n{given.text}"
    elif given:
        system = given.text
    return Ask(system=system, prompt=prompt, sampling=requested.sampling, seed=seed(requested.id))


def plain(name: str) -> Kernel:
    """The kernel as the system message.

    Raises:
        LookupError: There is no such kernel; the message lists those that there are.
    """
    return Kernel(name=name, digest=kernel.digest(name), text=kernel.text(name))


def sandwich(name: str) -> Kernel:
    """The axioms as the system message, and the kernel behind the prompt.

    All that the model is given beside the prompt stands in it, so that the log tells it even
    when these files and words have changed.

    Raises:
        LookupError: There is no such kernel; the message lists those that there are.
    """
    axioms, text = kernel.text(_AXIOMS), _BEHIND + kernel.text(name)
    mark = digest(["sandwich", axioms, text])
    return Kernel(name=f"sandwich:{name}", digest=mark, text=text, axioms=axioms)


def texts(given: Kernel | None) -> dict[str, str]:
    """All that a model was given beside the prompt, by name: nothing of it may be trained on."""
    if given is None:
        return {}
    behind = {given.name: given.text}
    return behind if given.axioms is None else {**behind, _AXIOMS: given.axioms}
