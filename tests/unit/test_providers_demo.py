"""The demo says what it is, in the reader's language, and quotes safely."""

import asyncio

import pytest

from core.providers.demo import INFO, DemoProvider
from core.providers.estimate import estimate_prompt_tokens, estimate_tokens
from core.providers.types import CompletionRequest, TextDelta, TokenUsage, UsageReport
from tests.contract.adapter import ask, collect, text_of


def answer(request: CompletionRequest) -> str:
    return text_of(asyncio.run(collect(DemoProvider(float("inf")), request)))


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("How do I sort a list?", "No model has read your message"),
        ("Как отсортировать список в Python?", "Ни одна модель не читала ваше сообщение"),
        ("", "No model has read your message"),
    ],
)
def test_the_answer(question: str, says: str) -> None:
    text = answer(ask("demo", question))
    assert says in text
    assert question in text
    for part in ("GEMINI_API_KEY", "OPENAI_API_KEY", "LOCAL_BASE_URL", "\n- ", "|:--|", "```ini"):
        assert part in text
    assert 150 <= len(text.split()) <= 260
    assert "<asked>" not in text


def test_the_same_question_gets_the_same_answer_word_by_word() -> None:
    request = ask("demo", "Hi")
    first, second = (asyncio.run(collect(DemoProvider(float("inf")), request)) for _ in range(2))
    assert first == second
    assert all(len(event.text.split()) <= 1 for event in first if isinstance(event, TextDelta))


@pytest.mark.parametrize(
    "evil", ["` <script>x</script> `", "```\n# big\n```", "a\n\n> b\n| c |", "x" * 10**6]
)
def test_the_question_stays_inside_its_quotes(evil: str) -> None:
    [quote] = [line for line in answer(ask("demo", evil)).splitlines() if line.startswith("> ")]
    assert quote.startswith("> `")
    assert quote.endswith("`")
    assert quote.count("`") == 2
    assert len(quote) < 200


def test_usage_is_estimated() -> None:
    request = ask("demo", "Hi")
    events = asyncio.run(collect(DemoProvider(float("inf")), request))
    [usage] = [event.usage for event in events if isinstance(event, UsageReport)]
    assert usage == TokenUsage(
        input_tokens=estimate_prompt_tokens(request),
        output_tokens=estimate_tokens(text_of(events)),
        estimated=True,
    )


def test_it_is_labelled_and_free() -> None:
    assert INFO.notice == "offline demo, not a model"
    assert INFO.free_reason == "offline demo"
