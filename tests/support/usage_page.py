"""The usage page in a test: drawn by Streamlit's own test runner, on calls that were recorded."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import unescape

from streamlit.testing.v1 import AppTest

from core.config import PROJECT_DIR
from core.pricing.types import CallCost, Money
from core.services import Services
from core.usage.types import Call
from tests.support.store import call

DOLLAR = 10**9
_TILE = re.compile(r'<dt>(.*?)<button.*?<dd class="kpi-value">(.*?)</dd>')


def page(
    section: str,
    locale: str = "en-US",
    state: Mapping[str, object] | None = None,
    query: Mapping[str, str | list[str]] | None = None,
) -> AppTest:
    """A part of the page, with what stands in the address, and widgets as they were left."""
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "usage.py"), default_timeout=20)
    app.context["locale"] = locale
    for name, value in {"section": section, **(query or {})}.items():
        app.query_params[name] = value
    for name, value in (state or {}).items():
        app.session_state[name] = value
    return app.run()


def record(hub: Services, *calls: Call) -> None:
    """Put calls into the ledger."""
    with hub.unit.write() as session:
        hub.ledger.record_many(session, calls)


def spent(days_ago: int, dollars: float, **changes: object) -> Call:
    """A call of the local account, so many days ago."""
    moment = datetime.now(UTC) - timedelta(days_ago)
    cost = CallCost(Money(round(dollars * DOLLAR), "USD"), "test")
    return call(**{"occurred_at": moment, "cost": cost, **changes})


def shown(app: AppTest) -> str:
    """All texts of the page, as they are read."""
    texts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.info]
    return "\n".join(text.value.replace("\\", "") for text in texts)


def figures(app: AppTest) -> dict[str, str]:
    """The figures of the page by their labels."""
    of_cards = {metric.label: metric.value.replace("\\", "") for metric in app.metric}
    return of_cards | {unescape(label): unescape(value) for label, value in _TILE.findall(html(app))}


def html(app: AppTest) -> str:
    """What the page draws by itself: figures, legends and rankings."""
    return "\n".join(element.proto.body for element in app.get("html"))
