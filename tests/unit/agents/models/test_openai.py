"""A server that fails, refuses, talks nonsense or is not there."""

from typing import Any

import pytest

from agents.models import open_model
from agents.models.openai import OpenAIModel
from agents.models.patience import Patience
from streams.errors import ModelError, ModelSilent
from tests.lem import until
from tests.models import Asked, Reply, asking, completion, free_port, scripted

QUICK = Patience(tries=3, first_wait_s=0.001, max_wait_s=0.002, timeout_s=5.0)
KEY = "sk-very-secret-0123456789"


def ask_once(url: str, patience: Patience = QUICK, **ask: Any) -> Any:
    model = OpenAIModel(f"{url}#gemma", patience=patience)
    try:
        return model.answer(asking(**ask))
    finally:
        model.close()


def roles(asked: Asked) -> list[str]:
    return [message["role"] for message in asked.body["messages"]]


def error(text: Any, status: int, **headers: str) -> Reply:
    return Reply({"error": text}, status, headers)


def test_the_ask_is_sent_as_the_api_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with scripted(completion("Yes.")) as (url, asked):
        ask_once(url, system="Be kind.", seed=9, temperature=0.8, top_p=0.95)

    assert asked[0].path == "/v1/chat/completions"
    assert asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert asked[0].body == {
        "model": "gemma",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "What is consent?"},
        ],
        "temperature": 0.8,
        "top_p": 0.95,
        "max_tokens": 48,
        "seed": 9,
        "stream": False,
    }


def test_top_k_and_min_p_are_sent_where_they_are_set() -> None:
    with scripted(completion("Yes.")) as (url, asked):
        ask_once(url, top_k=40, min_p=0.05)

    assert (asked[0].body["top_k"], asked[0].body["min_p"]) == (40, 0.05)


def test_what_the_server_tells_is_kept() -> None:
    reply = completion("Yes and")
    reply.body["choices"][0]["finish_reason"] = "length"
    more = {"usage": {"prompt_tokens": 7, "completion_tokens": 2}, "model": "gemma-3-1b"}
    reply.body.update(more, system_fingerprint="fp1")
    with scripted(reply) as (url, _):
        answer = ask_once(url)

    assert (answer.text, answer.finish_reason) == ("Yes and", "length")
    assert (answer.prompt_tokens, answer.completion_tokens) == (7, 2)
    assert answer.revision == "gemma-3-1b@fp1"


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": None, "prompt_tokens_details": None}],
)
def test_what_the_server_does_not_tell_is_nought(usage: Any) -> None:
    silent = {"choices": [{"message": {"content": None}}], "usage": usage, "model": None}
    with scripted(Reply(silent)) as (url, _):
        answer = ask_once(url)

    assert (answer.text, answer.prompt_tokens, answer.revision) == ("", 0, "gemma")
    assert (answer.saved_tokens, answer.cost) == (0, None)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_beside_the_answer_is_kept(name: str) -> None:
    reply = completion("Yes.")
    reply.body["choices"][0]["message"][name] = " Hm. "
    with scripted(reply) as (url, _):
        answer = ask_once(url)

    assert (answer.reasoning, answer.text) == ("Hm.", "Yes.")


def test_reasoning_within_the_answer_is_parted_from_it() -> None:
    with scripted(completion("<think>Hm.</think>Yes.")) as (url, _):
        answer = ask_once(url)

    assert (answer.reasoning, answer.text) == ("Hm.", "Yes.")


def test_tokens_that_were_read_before_are_counted() -> None:
    usage = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 6}}
    with scripted(completion("Yes.", usage=usage)) as (url, _):
        answer = ask_once(url)

    assert (answer.prompt_tokens, answer.saved_tokens) == (9, 6)


@pytest.mark.parametrize(
    "failure",
    [
        error("overloaded", 500),
        error("starting", 503),
        error("slow down", 429, **{"Retry-After": "0.001"}),
        Reply(b"<html>bad gateway</html>", 502),
        Reply(b"<html>hello</html>"),
        Reply({"choices": []}),
        Reply({"choices": [{"text": "Yes."}]}),
        Reply(["Yes."]),
        Reply(b""),
        Reply(b"", 0),
        Reply(b'{"choices": [{"message": {"content": "Ye'),
        Reply(b'{"choices"', headers={"Content-Length": "900"}),
        Reply(b"\xff\xfe{}"),
        Reply(b"[" * 100_000),
        Reply(b"no gzip", headers={"Content-Encoding": "gzip"}),
        Reply({"error": {"message": "upstream failed", "code": 502}}),
        Reply({"choices": [{"message": {"content": "Ye"}, "finish_reason": "error"}]}),
    ],
)
def test_a_failure_is_followed_by_another_try(failure: Reply) -> None:
    with scripted(failure, failure, completion("Yes.")) as (url, asked):
        answer = ask_once(url)

    assert answer.text == "Yes."
    assert len(asked) == 3
    assert asked[0].body == asked[2].body


def test_after_the_last_try_there_is_silence() -> None:
    with scripted(error({"message": "overloaded"}, 500)) as (url, asked):
        with pytest.raises(ModelSilent, match=r'3 tries.*500 "overloaded"') as caught:
            ask_once(url)

        assert f"openai:{url}#gemma" in str(caught.value)
        assert len(asked) == 3


def test_a_server_that_is_down_is_silent() -> None:
    with pytest.raises(ModelSilent, match=r"3 tries.*ConnectError"):
        ask_once(f"http://127.0.0.1:{free_port()}/v1")


def test_a_server_that_never_answers_is_silent() -> None:
    with scripted(Reply("", status=None)) as (url, asked):
        with pytest.raises(ModelSilent, match=r"2 tries.*within 0.05 s \(LEM_TIMEOUT_S\)"):
            ask_once(url, Patience(tries=2, first_wait_s=0.001, timeout_s=0.05))

        assert len(asked) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_is_final(status: int) -> None:
    with scripted(error({"message": "no " * 200}, status)) as (url, asked):
        with pytest.raises(ModelError, match=f'{status} "no no') as caught:
            ask_once(url)

        assert not isinstance(caught.value, ModelSilent)
        assert str(caught.value).count("no ") <= 70
        assert len(asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        error({"message": "System role not supported"}, 400),
        error("Jinja: system role not supported", 500),
        error("Conversation roles must alternate user/assistant/user/assistant/...", 404),
        Reply({"detail": "Developer instruction is not enabled"}, 400),
    ],
)
def test_a_refused_system_message_is_merged_into_the_prompt(said: Reply) -> None:
    with scripted(said, completion("Yes.")) as (url, asked):
        model = open_model(f"openai:{url}#gemma", patience=QUICK)
        answers = [model.answer(asking(system="Be kind.")) for _ in range(2)]
        model.close()

    assert [answer.system_role for answer in answers] == ["merged", "merged"]
    assert [roles(one) for one in asked] == [["system", "user"], ["user"], ["user"]]
    assert asked[1].body["messages"][0]["content"] == "Be kind.\n\nWhat is consent?"


def test_a_refusal_without_a_kernel_is_not_about_the_kernel() -> None:
    with scripted(error("system role not supported", 400)) as (url, asked):
        with pytest.raises(ModelError):
            ask_once(url)

        assert len(asked) == 1


def test_credit_that_is_used_up_is_final() -> None:
    spent = {"message": "You exceeded your current quota", "code": "insufficient_quota"}
    with scripted(error(spent, 429)) as (url, asked):
        with pytest.raises(ModelError, match=r"429 .*quota.*credit") as caught:
            ask_once(url)

        assert not isinstance(caught.value, ModelSilent)
        assert len(asked) == 1


def test_a_closed_model_answers_no_more() -> None:
    """At once, also while the server is silent and where an ask waits for another try."""
    with scripted(error("starting", 503), Reply("", status=None)) as (url, asked):
        model = OpenAIModel(f"{url}#gemma", patience=Patience(first_wait_s=9000, max_wait_s=9000))
        asks = [model.submit(asking()) for _ in range(2)]
        until(lambda: len(asked) == 2)
        model.close()

        for each in asks:
            with pytest.raises(ModelError, match="was closed"):
                each.result()
        with pytest.raises(ModelError, match="was closed"):
            model.submit(asking())


def test_an_ask_that_is_taken_back_leaves_room_for_another() -> None:
    with scripted(Reply("", status=None), completion("Yes.")) as (url, asked):
        model = OpenAIModel(f"{url}#gemma", patience=QUICK, most=1)
        given_up, other = model.submit(asking()), model.submit(asking())
        until(lambda: len(asked) == 1)
        given_up.cancel()

        assert other.result().text == "Yes."
        model.close()
