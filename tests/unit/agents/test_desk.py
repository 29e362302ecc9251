"""The desk: as many asks as a model has room for, one model of this machine at a time."""

import asyncio
from collections.abc import Callable

import pytest

from agents.desk import Desk
from agents.models import Answer
from streams.errors import ModelError, ModelSilent, RequestRefused
from tests.lem import becomes
from tests.models import Slow, asking


class Office:
    """A desk, the models that it opened, and what was asked of it."""

    def __init__(self, *, room: int = 2, error: Exception | None = None) -> None:
        self.room, self.error = room, error
        self.opened: list[Slow] = []
        self.desk = Desk(self.open)
        self.wanted: dict[str, bool] = {}

    def open(self, url: str) -> Slow:
        if self.error:
            raise self.error
        assert not [each for each in self.opened if not each.is_closed and is_here(each, url)]
        self.opened.append(Slow(url, self.room))
        return self.opened[-1]

    def ask(self, url: str, *prompts: str) -> list["asyncio.Task[Answer | str]"]:
        return [
            asyncio.create_task(self.desk.answer(url, asking(each), is_wanted=self.is_wanted(each)))
            for each in prompts
        ]

    def is_wanted(self, prompt: str) -> Callable[[], bool]:
        return lambda: self.wanted.get(prompt, True)

    async def model(self, url: str) -> Slow:
        """The model of this URL that is open, once it is."""

        def is_it(model: Slow) -> bool:
            return model.url == url and not model.is_closed

        await becomes(lambda: any(map(is_it, self.opened)))
        await settled()
        return next(filter(is_it, self.opened))


def is_here(model: Slow, url: str) -> bool:
    return model.url.startswith("mlx:") and url.startswith("mlx:")


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def prompts(model: Slow) -> list[str]:
    return [ask.prompt for ask in model.asked]


async def texts(tasks: list["asyncio.Task[Answer | str]"]) -> list[str]:
    found = await asyncio.gather(*tasks)
    return [answer if isinstance(answer, str) else answer.text for answer in found]


async def test_as_many_are_asked_as_there_is_room_and_the_next_when_one_is_answered() -> None:
    office = Office(room=2)
    tasks = office.ask("mlx:a", "1", "2", "3")
    model = await office.model("mlx:a")
    assert prompts(model) == ["1", "2"]

    model.tell("2", "two")
    await settled()
    assert prompts(model) == ["1", "2", "3"]
    model.tell("1", "one")
    model.tell("3", "three")

    assert await texts(tasks) == ["one", "two", "three"]
    office.desk.close()


async def test_room_that_a_model_finds_later_is_used() -> None:
    office = Office(room=1)
    tasks = office.ask("mlx:a", "1", "2", "3")
    model = await office.model("mlx:a")

    model.room = 3
    await becomes(lambda: len(model.asked) == 3)

    for prompt in ("1", "2", "3"):
        model.tell(prompt, prompt)
    assert await texts(tasks) == ["1", "2", "3"]
    office.desk.close()


async def test_servers_are_asked_side_by_side_and_beside_a_model_of_this_machine() -> None:
    office = Office(room=1)
    tasks = [task for url in ("openai:a", "mlx:b", "openai:c") for task in office.ask(url, "1")]

    for url in ("openai:c", "openai:a", "mlx:b"):
        (await office.model(url)).tell("1", url)

    assert await texts(tasks) == ["openai:a", "mlx:b", "openai:c"]
    assert not any(model.is_closed for model in office.opened)
    office.desk.close()


async def test_two_models_of_this_machine_are_not_open_at_once_and_change_when_one_is_drained() -> (
    None
):
    """Asked by turns, they are opened once each: `Office.open` refuses a second one beside."""
    office = Office(room=1)
    tasks = [task for n in "123" for url in ("mlx:a", "mlx:b") for task in office.ask(url, n)]

    for url in ("mlx:a", "mlx:b"):
        for prompt in "123":
            model = await office.model(url)
            model.tell(prompt, f"{url} {prompt}")

    assert await texts(tasks) == [f"{url} {n}" for n in "123" for url in ("mlx:a", "mlx:b")]
    assert [model.url for model in office.opened] == ["mlx:a", "mlx:b"]
    office.desk.close()
    assert all(model.is_closed for model in office.opened)


async def test_of_those_that_wait_the_first_gets_its_model_next() -> None:
    office = Office(room=1)
    tasks = [task for url in ("mlx:a", "mlx:c", "mlx:b") for task in office.ask(url, "1")]

    for url in ("mlx:a", "mlx:c", "mlx:b"):
        (await office.model(url)).tell("1")
    await texts(tasks)

    assert [model.url for model in office.opened] == ["mlx:a", "mlx:c", "mlx:b"]
    office.desk.close()


async def test_who_is_no_more_wanted_is_not_asked_and_who_was_asked_is_answered() -> None:
    office = Office(room=1)
    asked, waiting = office.ask("mlx:a", "1", "2")
    model = await office.model("mlx:a")

    office.wanted = {"1": False, "2": False}
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await waiting
    model.tell("1", "one")

    assert await texts([asked]) == ["one"]
    assert prompts(model) == ["1"]
    office.desk.close()


@pytest.mark.parametrize("error", [ModelSilent("no word"), RequestRefused("too long")])
async def test_an_ask_without_an_answer_is_told_why(error: Exception) -> None:
    office = Office()
    tasks = office.ask("mlx:a", "1", "2")
    model = await office.model("mlx:a")

    model.open.pop("1").set_exception(error)
    model.tell("2", "two")

    assert await texts(tasks) == [str(error), "two"]
    office.desk.close()


async def test_a_fault_of_a_back_end_is_told_as_one() -> None:
    office = Office()
    (task,) = office.ask("mlx:a", "1")

    (await office.model("mlx:a")).open.pop("1").set_exception(KeyError("choices"))

    assert await task == "Model mlx:a failed: KeyError: 'choices'"
    office.desk.close()


async def test_a_model_that_answers_nobody_is_an_error() -> None:
    office = Office()
    (task,) = office.ask("mlx:a", "1")

    (await office.model("mlx:a")).open.pop("1").set_exception(ModelError("no memory"))

    with pytest.raises(ModelError, match="no memory"):
        await task
    office.desk.close()


async def test_a_model_that_cannot_be_opened_is_an_error_for_all_who_wait_and_for_no_other() -> (
    None
):
    office = Office(error=ModelError("no such model"))
    tasks = office.ask("mlx:a", "1", "2")
    for task in tasks:
        with pytest.raises(ModelError, match="no such model"):
            await task

    office.error = None
    (task,) = office.ask("mlx:b", "3")
    (await office.model("mlx:b")).tell("3", "three")

    assert await texts([task]) == ["three"]
    office.desk.close()
