"""What is deleted stays counted: the ledger's figures are not those of the things that are there today."""

from pathlib import Path

from core.chat.types import SendOptions
from core.prompts.types import NewPrompt
from core.services import Services
from core.usage.explore.types import Dimension, Exploration, Selection
from tests.support.hub import MODEL, answered, ask, me, opened_with_gemini

DIMENSIONS = [each for each in Dimension if each is not Dimension.THREAD]


def figures(services: Services) -> dict[Dimension, Exploration]:
    today = services.usage.today()
    whole = Selection(None, today.replace(day=1), today)
    return {by: services.explore.explore(whole, by) for by in DIMENSIONS}


def test_deleting_what_calls_were_made_in_changes_no_figure(database_url: str, tmp_path: Path) -> None:
    with opened_with_gemini(database_url, tmp_path) as (services, _server):
        user = me(services)
        category = services.categories.create(user, "Work")
        prompt = services.prompts.create(user, NewPrompt("Ideas", "Name five ideas"))
        first = ask(services)
        answered(services, first)
        services.threads.update(user, first.thread.uuid, {"category_id": category.id})
        for options in (SendOptions(prompt="Ideas"), SendOptions()):
            answered(
                services, services.chat.send(user, first.thread.uuid, "And?", "gemini", MODEL, (), options)
            )
        before = figures(services)
        values = services.explore.values(None)
        assert before[Dimension.CATEGORY].total.requests == 3
        assert {group.value for group in before[Dimension.CATEGORY].groups} == {"", "Work"}
        assert {group.value for group in before[Dimension.PROMPT].groups} == {"", "Ideas"}
        services.categories.delete(user, category.id)
        services.prompts.delete(user, prompt.id)
        services.threads.delete(user, [first.thread.id])
        assert figures(services) == before
        assert services.explore.values(None) == values
