"""What holds for the tree as a whole: lengths, names, paths, and that every setting is told."""

import ast
import inspect
import re
import shutil
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import msgspec
import pytest

from streams.config import Settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("streams", "agents", "schemas", "kernel")
CODE = sorted(
    path
    for folder in (*PACKAGES, "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".sql"}
)
EXAMPLE = (ROOT / "infra" / "lem.env.example").read_text(encoding="utf-8")

# Written in two parts, so that this very line is no such path.
OF_A_MACHINE = re.compile(r"(?<![\w.-])/(?:(?:work|root)/|home/\w|Users/\w)")


@pytest.mark.parametrize("path", CODE, ids=[str(path.relative_to(ROOT)) for path in CODE])
def test_a_file_is_under_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_owns_our_names(name: str) -> None:
    """Theirs would be imported in place of ours, here or there."""
    assert set(packages_distributions().get(name, [])) <= {"lem"}


@pytest.mark.parametrize("name", PACKAGES)
def test_ours_are_imported(name: str) -> None:
    module = __import__(name)

    assert {Path(place) for place in module.__path__} == {ROOT / name}


@pytest.mark.parametrize("name", PACKAGES)
def test_ours_are_whole_packages(name: str) -> None:
    """One without `__init__.py` gives way to any other of its name; py.typed is for its users."""
    assert (ROOT / name / "__init__.py").is_file()
    assert (ROOT / name / "py.typed").is_file()


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that belongs to the repository, or is about to."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("what belongs to the repository is known by git, which is not here")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    names = [name for name in listed.decode().split("\0") if (ROOT / name).is_file() and name]
    contents = {name: (ROOT / name).read_bytes() for name in names}
    return {
        name: data.decode(errors="replace") for name, data in contents.items() if b"\0" not in data
    }


def test_no_file_names_a_path_of_one_machine(texts: dict[str, str]) -> None:
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if OF_A_MACHINE.search(line)
    ]

    assert found == []


def test_a_path_of_a_machine_would_be_found() -> None:
    paths = [f"/{folder}/x" for folder in ("work", "root", "home", "Users")]

    assert all(OF_A_MACHINE.search(f"see {path}.") for path in paths)
    assert not OF_A_MACHINE.search("of home/work/life, lem/home/x and infra/home/y")


def defaults() -> dict[str, str]:
    """What stands in the example for each setting: its default, a path as from the checkout."""
    return {
        f"LEM_{field.name.upper()}": str(field.default).removeprefix(f"{ROOT}/")
        for field in msgspec.structs.fields(Settings)
    }


def meanings() -> dict[str, str]:
    """The docstring of each setting, on one line."""
    (body,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(body, ast.ClassDef)
    pairs = zip(body.body, body.body[1:], strict=False)
    return {
        f"LEM_{field.target.id.upper()}": " ".join(ast.literal_eval(text.value).split())
        for field, text in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr)
    }


def test_every_setting_is_in_the_example_with_its_default() -> None:
    assert dict(re.findall(r"^# (LEM_\w+)=(.*)$", EXAMPLE, re.MULTILINE)) == defaults()


@pytest.mark.parametrize(("name", "meaning"), meanings().items())
def test_a_setting_is_explained_as_in_the_code(name: str, meaning: str) -> None:
    (above,) = re.findall(rf"((?:^# .+\n)+)# {name}=", EXAMPLE, re.MULTILINE)

    assert meaning in " ".join(above.replace("# ", "").split())


def test_every_setting_has_a_meaning() -> None:
    assert set(meanings()) == set(defaults())


def test_the_example_sets_nothing_by_itself() -> None:
    assert [line for line in EXAMPLE.splitlines() if not line.startswith("#") and line] == []
