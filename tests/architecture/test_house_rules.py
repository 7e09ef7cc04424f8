"""The code keeps the house rules, and each rule really bites."""

import pytest

from tests.architecture.rules import RULES, Rule, cache_owners
from tests.architecture.sources import Source, project_sources

by_name = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return list(project_sources())


@by_name
def test_code_keeps_the_rule(rule: Rule, sources: list[Source]) -> None:
    breaches = [breach for source in sources for breach in rule.breaches(source)]
    assert not breaches, (
        f"{rule.advice}\n  "
        + "\n  ".join(breaches)
        + f"\nWith a reason a reader can judge: `# house: {rule.name} because …` on that line."
    )


@by_name
def test_rule_bites(rule: Rule) -> None:
    assert rule.breaches(Source(rule.example, rule.bad)), "the bad snippet passes"
    assert not rule.breaches(Source(rule.example, rule.good)), "the good snippet is refused"


@by_name
def test_an_escape_needs_a_reason(rule: Rule) -> None:
    # Appended to every line: a snippet may break its rule on any of them.
    def with_comment(comment: str) -> Source:
        return Source(rule.example, "\n".join(f"{line}  {comment}" for line in rule.bad.splitlines()))

    assert rule.breaches(with_comment(f"# house: {rule.name}"))
    assert not rule.breaches(with_comment(f"# house: {rule.name} because of the example"))


def test_one_file_owns_the_streamlit_caches(sources: list[Source]) -> None:
    owners = cache_owners(sources)
    assert len(owners) <= 1, (
        f"st.cache_* is used in {owners}: keep it in one file, where what is shared between users can be seen."
    )


def test_cache_owners_are_found() -> None:
    cached = "import streamlit as st\n@st.cache_resource\ndef f(): ..."
    files = [
        Source("ui/a.py", cached),
        Source("ui/b.py", "from streamlit import cache_data"),
        Source("ui/c.py", ""),
    ]
    assert cache_owners(files) == ["ui/a.py", "ui/b.py"]


def test_lazy_sdk_sees_through_attributes_and_else() -> None:
    rule = next(rule for rule in RULES if rule.name == "lazy-sdk")
    guarded = "import typing\nif typing.TYPE_CHECKING:\n    import openai\nelse:\n    import openai"
    assert rule.breaches(Source("core/providers/a.py", guarded)) == ["core/providers/a.py:5"]


def test_a_selection_gets_its_scope_from_whoever_asks_for_the_right() -> None:
    rule = next(rule for rule in RULES if rule.name == "scope-of-all")
    breaches = (
        "Selection(None, start, end)",
        "Selection(user.id, start, end)",
        "hub.usage.report(scope=None)",
    )
    assert all(rule.breaches(Source("api/a.py", code)) for code in breaches)
    assert not rule.breaches(Source("api/a.py", "Selection(scope_of(user, everyone=True), start, end)"))
