"""How a user wants models to be asked, what is known of each, and what a request to one becomes."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from core.accounts.tables import User
from core.chat import tables as chat_tables
from core.chat.choices import ModelChoice
from core.errors import AppError, ErrorKind
from core.generation.types import ModelRef, Shaped
from core.models.preferences import Preferences
from core.models.tables import Preference
from core.models.types import PreferenceInfo
from core.pricing.types import Price
from core.providers.content import GeminiOptions, SafetySetting
from core.providers.types import ChatMessage, CompletionRequest, ReasoningEffort, Role
from core.services import Services
from core.usage.types import Source
from tests.fakes import gemini_server
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script
from tests.support.hub import KEY, MODEL, answered, ask, me, opened_with_gemini
from tests.support.lab import OTHER
from tests.support.people import admin

Hub = tuple[Services, GeminiServer]
QUESTION = (ChatMessage(Role.USER, "Hello"),)


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


def wanted(**fields: Any) -> PreferenceInfo:
    return PreferenceInfo(**{"provider": "gemini", "model": MODEL, **fields})


def saved(services: Services, **fields: Any) -> PreferenceInfo:
    return services.models.save(me(services), wanted(**fields))


def stranger(services: Services) -> int:
    with services.unit.write() as session:
        user = User(username="anna", email=None, is_admin=False, is_active=True, created_at=datetime.now(UTC))
        session.add(user)
        session.flush()
        return user.id


# --- keeping preferences ---


def test_a_preference_is_kept_as_it_was_saved(hub: Hub) -> None:
    services, _server = hub
    before = saved(
        services,
        max_tokens=1_500,
        temperature=0.8,
        system_prompt="  Be brief.  ",
        use_cache=True,
        options={"generationConfig": {"topP": 0.5}},
        fallbacks=(ModelRef("gemini", OTHER), ModelRef("demo", "demo")),
    )
    found = services.models.preference(me(services), "gemini", MODEL)
    assert found == before
    assert found is not None
    assert found.id is not None
    assert found.created_at == found.updated_at
    assert (found.system_prompt, found.max_tokens, found.temperature) == ("Be brief.", 1_500, 0.8)
    assert found.options == {"generationConfig": {"topP": 0.5}}
    assert found.fallbacks == (ModelRef("gemini", OTHER), ModelRef("demo", "demo"))
    assert services.models.preferences(me(services)) == (before,)


def test_saving_again_changes_the_one_that_is_there(hub: Hub) -> None:
    services, _server = hub
    first = saved(services, temperature=1.0)
    again = saved(services, temperature=None, max_tokens=5)
    assert (again.id, again.temperature, again.max_tokens) == (first.id, None, 5)
    moved = services.models.save(me(services), replace(again, model=OTHER))
    assert (moved.id, moved.model) == (first.id, OTHER)
    assert services.models.preferences(me(services)) == (moved,)


def test_a_preference_is_not_moved_onto_another(hub: Hub) -> None:
    services, _server = hub
    first = saved(services)
    saved(services, model=OTHER)
    with pytest.raises(AppError, match=r"settings for gemini.* already") as refused:
        services.models.save(me(services), replace(first, model=OTHER))
    assert refused.value.kind is ErrorKind.VALIDATION
    assert len(services.models.preferences(me(services))) == 2


def test_a_provider_has_one_default(hub: Hub) -> None:
    services, _server = hub
    user = me(services)
    saved(services, is_default=True)
    saved(services, provider="demo", model="demo", is_default=True)
    saved(services, model=OTHER, is_default=True)
    marked = {each.model for each in services.models.preferences(user) if each.is_default}
    assert marked == {OTHER, "demo"}
    assert services.models.default_model(user, "gemini") == OTHER
    assert services.models.default_model(user, "openai") is None
    assert services.choices.default(user) == ModelChoice("gemini", OTHER)
    assert services.choices.all(user)[0] == ModelChoice("gemini", OTHER)


def test_two_defaults_at_the_same_moment_leave_one(hub: Hub) -> None:
    services, _server = hub
    names = [f"model-{n}" for n in range(8)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda name: saved(services, model=name, is_default=True), names))
    found = services.models.preferences(me(services))
    assert len(found) == 8
    assert sum(each.is_default for each in found) == 1


def test_the_same_model_saved_at_the_same_moment_is_kept_once(hub: Hub) -> None:
    services, _server = hub
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: saved(services, max_tokens=n), range(1, 9)))
    assert len(services.models.preferences(me(services))) == 1


def test_another_users_preferences_do_not_exist(hub: Hub) -> None:
    services, _server = hub
    mine = saved(services, temperature=0.1, is_default=True)
    other = stranger(services)
    assert services.models.preferences(other) == ()
    assert services.models.default_model(other, "gemini") is None
    with pytest.raises(AppError) as refused:
        services.models.delete(other, "gemini", MODEL)
    assert refused.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(AppError) as refused:
        services.models.save(other, replace(mine, temperature=2.0))
    assert refused.value.kind is ErrorKind.NOT_FOUND
    assert services.models.preferences(me(services)) == (mine,)


@pytest.mark.parametrize("preference_id", [0, -1, 10**30])
def test_a_preference_of_no_such_id_is_not_found(hub: Hub, preference_id: int) -> None:
    services, _server = hub
    with pytest.raises(AppError) as refused:
        saved(services, id=preference_id)
    assert refused.value.kind is ErrorKind.NOT_FOUND


def test_an_account_that_is_gone_keeps_nothing(hub: Hub) -> None:
    services, _server = hub
    with pytest.raises(AppError, match="account was not found"):
        services.models.save(me(services) + 1_000, wanted())


def test_a_deleted_preference_no_longer_counts(hub: Hub) -> None:
    services, _server = hub
    saved(services, temperature=0.3, is_default=True)
    services.models.delete(me(services), "gemini", MODEL)
    asked = CompletionRequest(MODEL, QUESTION)
    assert services.models.shape(me(services), "gemini", asked) == Shaped(asked)
    assert services.models.default_model(me(services), "gemini") is None


def test_what_another_process_saved_is_used_soon(hub: Hub) -> None:
    services, _server = hub
    user = me(services)
    slow = Preferences(services.unit, services.registry, refresh_seconds=3_600)
    watching = Preferences(services.unit, services.registry, refresh_seconds=0)
    assert slow.all(user) == watching.all(user) == ()
    before = saved(services)
    assert watching.all(user) == (before,)
    assert slow.all(user) == ()  # from memory, or the other two would prove nothing


TOO_MANY = tuple(ModelRef("demo", f"model-{n}") for n in range(6))
BAD = {
    "model": ({"model": " "}, "no name"),
    "long model": ({"model": "m" * 201}, "at most 200"),
    "provider": ({"provider": "nobody"}, "no provider “nobody”"),
    "no tokens": ({"max_tokens": 0}, "from 1 to 1000000"),
    "many tokens": ({"max_tokens": 1_000_001}, "from 1 to 1000000"),
    "cold": ({"temperature": -0.1}, "from 0 to 2"),
    "hot": ({"temperature": 2.1}, "from 0 to 2"),
    "not a number": ({"temperature": math.nan}, "from 0 to 2"),
    "prompt": ({"system_prompt": "x" * 20_001}, "20001 characters; at most 20000"),
    "itself": ({"fallbacks": (ModelRef("gemini", MODEL),)}, "cannot stand in for itself"),
    "twice": ({"fallbacks": (ModelRef("demo", "a"), ModelRef("demo", " a "))}, "twice"),
    "six": ({"fallbacks": TOO_MANY}, "At most 5"),
    "stranger": ({"fallbacks": (ModelRef("nobody", "a"),)}, "no provider “nobody”"),
    "gemini option": ({"options": {"generationConfig": {"topP": 3}}}, "topP"),
    "option": ({"provider": "demo", "options": {"temprature": 1}}, "no option “temprature”"),
    "top_p": ({"provider": "demo", "options": {"top_p": 1.5}}, "top_p is a number from 0 to 1"),
    "top_p text": ({"provider": "demo", "options": {"top_p": "1"}}, "top_p is a number from 0 to 1"),
    "top_p true": ({"provider": "demo", "options": {"top_p": True}}, "top_p is a number from 0 to 1"),
    "top_k": ({"provider": "demo", "options": {"top_k": 0}}, "top_k is a whole number from 1"),
    "penalty": ({"provider": "demo", "options": {"presence_penalty": 3}}, "from -2 to 2"),
    "stops": ({"provider": "demo", "options": {"stop_sequences": list("abcdef")}}, "1 to 5 texts"),
    "empty stop": ({"provider": "demo", "options": {"stop_sequences": [""]}}, "none of them empty"),
    "one stop": ({"provider": "demo", "options": {"stop_sequences": "ab"}}, "1 to 5 texts"),
    "seed": ({"provider": "demo", "options": {"seed": 0.5}}, "seed is a whole number"),
    "effort": ({"provider": "demo", "options": {"reasoning_effort": "huge"}}, "none, low, medium, high"),
}


@pytest.mark.parametrize(("fields", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_kept_is_named(hub: Hub, fields: dict[str, Any], words: str) -> None:
    services, _server = hub
    with pytest.raises(AppError, match=words) as refused:
        saved(services, **fields)
    assert refused.value.kind is ErrorKind.VALIDATION
    assert services.models.preferences(me(services)) == ()


# --- asking with them ---


def test_a_preference_lies_under_a_request(hub: Hub) -> None:
    services, _server = hub
    options = {
        "generationConfig": {"topP": 0.5, "stopSequences": ["END"]},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "labels": {"team": "sales"},
    }
    fallback = ModelRef("demo", "demo")
    saved(
        services,
        max_tokens=9,
        temperature=0.5,
        system_prompt="Mine",
        use_cache=True,
        options=options,
        fallbacks=(fallback,),
    )
    asked = CompletionRequest(MODEL, QUESTION, system_prompt="Theirs", temperature=0.0, top_p=0.9)
    shaped = services.models.shape(me(services), "gemini", asked)
    assert shaped == Shaped(
        CompletionRequest(
            MODEL,
            QUESTION,
            system_prompt="Theirs",
            temperature=0.0,
            max_output_tokens=9,
            top_p=0.9,
            stop_sequences=("END",),
            gemini=GeminiOptions(
                safety_settings=(SafetySetting("HARM_CATEGORY_HARASSMENT", "BLOCK_NONE"),),
                labels={"team": "sales"},
            ),
        ),
        (fallback,),
        use_cache=True,
    )


def test_options_of_other_providers_go_where_they_belong(hub: Hub) -> None:
    services, _server = hub
    options: dict[str, Any] = {
        "top_p": 1,
        "top_k": 40,
        "presence_penalty": -2,
        "frequency_penalty": 0.5,
        "stop_sequences": ["a", "b"],
        "seed": 7,
        "reasoning_effort": "low",
    }
    saved(services, provider="openai", model="gpt-5.5", options=options)
    asked = CompletionRequest("gpt-5.5", QUESTION, seed=1)
    assert services.models.shape(me(services), "openai", asked).completion == CompletionRequest(
        "gpt-5.5",
        QUESTION,
        top_p=1.0,
        top_k=40,
        presence_penalty=-2.0,
        frequency_penalty=0.5,
        stop_sequences=("a", "b"),
        seed=1,
        reasoning_effort=ReasoningEffort.LOW,
    )


def test_a_message_is_asked_as_its_user_wants(hub: Hub) -> None:
    services, server = hub
    saved(services, max_tokens=77, temperature=0.25, system_prompt="Answer in verse.")
    sent = ask(services)
    answered(services, sent)
    body = server.asked[-1].body
    assert body["generationConfig"]["temperature"] == 0.25
    assert body["generationConfig"]["maxOutputTokens"] == 77
    assert body["systemInstruction"]["parts"][0]["text"] == "Answer in verse."
    saved(services, temperature=1.5)
    answered(services, ask(services, "Again", sent.thread.uuid))
    body = server.asked[-1].body
    assert body["generationConfig"]["temperature"] == 1.5
    assert "systemInstruction" not in body


def test_a_threads_own_system_prompt_stands_over_the_preference(hub: Hub) -> None:
    services, server = hub
    saved(services, system_prompt="Answer in verse.")
    sent = ask(services)
    answered(services, sent)
    with services.unit.write() as session:
        table = chat_tables.Thread
        session.execute(update(table).where(table.id == sent.thread.id).values(system_prompt="Prose."))
    answered(services, ask(services, "Again", sent.thread.uuid))
    assert server.asked[-1].body["systemInstruction"]["parts"][0]["text"] == "Prose."


def test_a_fallback_of_the_preference_answers_in_the_chat(hub: Hub) -> None:
    services, server = hub
    saved(services, fallbacks=(ModelRef("gemini", OTHER),))
    server.for_model(MODEL, gemini_server.overloaded())
    message = answered(services, ask(services))
    assert (message.content, message.model, message.fallback_from) == (
        "Hello, world!",
        OTHER,
        f"gemini/{MODEL}",
    )


def test_a_preference_can_let_the_chat_answer_from_the_cache(hub: Hub) -> None:
    services, server = hub
    saved(services, use_cache=True)
    first = answered(services, ask(services))
    again = answered(services, ask(services))
    assert (first.from_cache, again.from_cache, again.content) == (False, True, first.content)
    assert len(server.asked) == 1


def test_a_message_goes_out_with_its_users_own_key(hub: Hub) -> None:
    services, server = hub
    services.keys.add(admin(me(services)), "gemini", "Mine", "AIzaSy-a-key-of-my-own-0123456789")
    answered(services, ask(services))
    assert server.asked[-1].headers["x-goog-api-key"] == "AIzaSy-a-key-of-my-own-0123456789"
    sent = services.chat.send(stranger(services), None, "Hello", "gemini", MODEL)
    assert sent.generation.wait(20)
    assert server.asked[-1].headers["x-goog-api-key"] == KEY


# --- tool calls ---


def test_an_answer_that_only_asks_for_functions_goes_back_as_text(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=[], tool_calls=[("get_weather", {"city": "Тверь"}), ("get_time", {})]))
    sent = ask(services, "How is the weather?")
    message = answered(services, sent)
    assert [call.name for call in message.tool_calls] == ["get_weather", "get_time"]
    assert answered(services, ask(services, "Well?", sent.thread.uuid)).content == "Hello, world!"
    contents = server.asked[-1].body["contents"]
    assert [turn["role"] for turn in contents] == ["user", "model", "user"]
    assert contents[1]["parts"][0]["text"] == (
        '[asked for get_weather({"city": "Тверь"})]\n[asked for get_time({})]'
    )


# --- the catalogue ---


def test_the_catalogue_holds_every_model_that_someone_knows_of(hub: Hub) -> None:
    services, server = hub
    user = me(services)
    saved(services, model="my-tuned-model", is_default=True)
    price = Price("RUB", 1_000, 2_000)
    services.price_overrides.add(
        admin(user), "gemini", "my-priced-model", price, datetime(2026, 1, 1, tzinfo=UTC)
    )
    services.generation.portal.call(services.registry.models, "gemini", user)
    cards = {card.model: card for card in services.models.catalogue(user) if card.provider == "gemini"}
    assert set(server.models) <= set(cards)
    assert cards[MODEL].label == "Gemini 3.8 Flash"
    assert (cards[MODEL].context_size, cards[MODEL].output_limit) == (1_048_576, 65_536)
    assert cards[MODEL].capabilities == services.registry.info("gemini").capabilities
    assert not cards[MODEL].is_default
    tuned = cards["my-tuned-model"]
    assert (tuned.label, tuned.is_default, tuned.has_preference) == ("my-tuned-model", True, True)
    assert tuned.price.price is None
    assert (cards["my-priced-model"].price.price, cards["my-priced-model"].price.is_own) == (price, True)


def test_the_catalogue_does_not_wait_and_asks_for_a_newer_list(hub: Hub) -> None:
    services, server = hub
    server.listing = Script(hang_after=0)
    cards = [card.model for card in services.models.catalogue(me(services)) if card.provider == "gemini"]
    suggested = services.registry.info("gemini").suggested_models
    assert cards == [model.id for model in suggested]
    server.wait_for(lambda: [request for request in server.requests if request.method == "GET"])
    server.release()


def test_the_context_of_a_model_its_provider_says_nothing_of_is_that_of_the_price_catalogue(hub: Hub) -> None:
    services, _server = hub
    with OpenAIServer() as openai:
        services.keys.add(admin(me(services)), "openai", "Mine", "sk-a-key-of-my-own-0123456789", openai.url)
        saved(services, provider="openai", model="gpt-3.5-turbo")
        services.generation.portal.call(services.registry.models, "openai", me(services))
        cards = {card.model: card for card in services.models.catalogue(me(services))}
    assert cards["gpt-3.5-turbo"].context_size == 16_385
    assert cards["gpt-3.5-turbo"].price.context_size == 16_385


# --- looking before sending ---


def test_a_preview_is_what_would_be_sent_and_sends_nothing(hub: Hub) -> None:
    services, server = hub
    saved(services, temperature=0.5)
    asked = CompletionRequest(MODEL, QUESTION, max_output_tokens=5)
    shaped = services.models.shape(me(services), "gemini", asked)
    prepared = services.models.preview(me(services), "gemini", shaped.completion)
    assert prepared.body["generationConfig"] == {"temperature": 0.5, "maxOutputTokens": 5}
    assert KEY not in repr(prepared)
    assert server.requests == []
    bare = services.models.preview(me(services), "gemini", asked)
    assert bare.body["generationConfig"] == {"maxOutputTokens": 5}


def test_tokens_are_counted_by_the_provider_or_estimated(hub: Hub) -> None:
    services, server = hub
    asked = CompletionRequest(MODEL, (ChatMessage(Role.USER, "one two three"),))
    counted = services.models.count_tokens(me(services), "gemini", asked)
    assert (counted.tokens, counted.estimated) == (3, False)
    assert server.requests[-1].path.endswith(":countTokens")
    assert services.models.count_tokens(me(services), "demo", asked).estimated


def test_a_preference_of_options_no_longer_understood_stops_before_anything_is_stored(hub: Hub) -> None:
    services, _server = hub
    before = saved(services, provider="demo", model="demo", options={"seed": 1})
    with services.unit.write() as session:
        session.execute(
            update(Preference).where(Preference.id == before.id).values(options={"of_another_age": 1})
        )
    services.models.save(me(services), wanted())  # so that this process reads anew
    with pytest.raises(AppError, match="of_another_age"):
        services.chat.send(me(services), None, "Hello", "demo", "demo")
    assert services.chat.threads(me(services)) == []


# --- what programs ask for ---


def test_a_preference_has_an_id_of_its_own(hub: Hub) -> None:
    services, _server = hub
    mine = saved(services, temperature=0.1, is_default=True)
    assert mine.id is not None
    assert services.models.preference_by_id(me(services), mine.id) == mine
    assert services.models.defaults(me(services)) == {"gemini": mine}
    for user, number in ((stranger(services), mine.id), (me(services), 10**30)):
        for verb in (services.models.preference_by_id, services.models.delete_by_id):
            with pytest.raises(AppError) as refused:
                verb(user, number)
            assert refused.value.kind is ErrorKind.NOT_FOUND
    services.models.delete_by_id(me(services), mine.id)
    assert services.models.preferences(me(services)) == ()


def test_a_completion_is_asked_as_the_user_wants_and_may_come_from_the_cache(hub: Hub) -> None:
    services, server = hub
    user = me(services)
    saved(services, temperature=0.5, max_tokens=9, use_cache=True)
    asked = CompletionRequest(MODEL, QUESTION, temperature=0.25)
    first = services.models.complete(user, "gemini", asked, Source.API)
    assert first.wait(20)
    config = server.requests[-1].body["generationConfig"]
    assert (config["temperature"], config["maxOutputTokens"]) == (0.25, 9)
    again = services.models.complete(user, "gemini", asked, Source.API)
    anew = services.models.complete(user, "gemini", asked, Source.API, use_cache=False)
    assert again.wait(20)
    assert anew.wait(20)
    outcomes = [each.outcome for each in (first, again, anew)]
    assert [each.from_cache for each in outcomes if each] == [False, True, False]
    assert len(server.requests) == 2
    with pytest.raises(AppError, match="set OPENAI_API_KEY"):
        services.models.complete(user, "openai", asked, Source.API)
    with pytest.raises(AppError, match="from 0 to 2"):
        services.models.complete(user, "gemini", replace(asked, temperature=3.0), Source.API)
