"""What the test of a connection came to, in words."""

from core.models.types import Health
from ui import format as fmt
from ui.components.notices import Notice
from ui.door import Viewer
from ui.session import Slot, remember


def tell_health(viewer: Viewer, name: str, health: Health) -> None:
    """For a callback: say at the top of the page how the test of `name` went."""
    remember(Slot.MODELS_NOTICE, Notice(health_in_words(viewer, name, health), failed=not health.ok))


def health_in_words(viewer: Viewer, name: str, health: Health) -> str:
    """One line: it works and what is known of it, or what is wrong and what to do."""
    _, language = viewer.tr.text, viewer.tr.language
    if health.error is not None:
        return f"{name}: {health.error.text(language)}"
    facts = [_("{name}: the connection works", name=name)]
    if health.report is not None:
        if health.report.models:
            count = health.report.models
            facts.append(
                viewer.tr.plural(
                    "{number} model", "{number} models", count, number=fmt.exact(count, language)
                )
            )
        for model, tokens in health.report.tokens_left.items():
            facts.append(
                _("{number} tokens left for {model}", number=fmt.exact(tokens, language), model=model)
            )
    if health.latency_ms is not None:
        facts.append(fmt.duration(health.latency_ms, language))
    return " · ".join(facts)
