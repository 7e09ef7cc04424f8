"""One rerun of a page on the server: real server, real WebSocket, from the request to "script finished"."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.accounts.service import AccountService
from core.usage.ledger import Ledger
from tests.bench import conversation, ledgers
from tests.bench.environment import fresh_checkout
from tests.bench.figures import Bench, Figure, milliseconds, say
from tests.bench.servers import aihub, one_line_page
from tests.bench.streamlit_tab import StreamlitTab
from ui.format import day_range

_WARM_UP = 10
_RERUNS = 30
_MOST_MS = 60.0
_EVENTS = 20_000


def run(folder: Path) -> Iterator[Figure]:
    checkout, data = fresh_checkout(folder), folder / "data"
    today = datetime.now(UTC).date()
    thread = _prepare(data, today)
    # As the page says which days it shows: that it shows the whole year, and not its default of 30 days.
    year = day_range(today - timedelta(ledgers.DAYS - 1), today, "en")
    with aihub(checkout, data) as port:
        with StreamlitTab(port, "chat", f"thread={thread}") as tab:
            ends = (conversation.FIRST_WORDS, conversation.LAST_WORDS)
            yield _measured("rerun.chat_100_messages", tab, ends, _MOST_MS)
        with StreamlitTab(port, "usage", "range=year") as tab:
            yield _measured("usage.page_rerun", tab, (year, ledgers.A_MODEL), _MOST_MS)
    with one_line_page(checkout) as port, StreamlitTab(port) as tab:
        yield _measured("rerun.baseline", tab, ("Hello",))


def _prepare(data: Path, today: date) -> str:
    """The local account with a year of usage and a long thread; returns the thread's UUID."""
    unit, ledger = ledgers.new_unit(data), Ledger(ZoneInfo("UTC"))
    try:
        user_id = AccountService(unit).local_account().id
        assert user_id == 1, "the ledger is filled for users from 1 on"
        with unit.write() as session:
            ledgers.fill(session, ledger, _EVENTS, today, users=1)
            return conversation.add_thread(session, user_id)
    finally:
        unit.close()


def _measured(name: str, tab: StreamlitTab, proofs: tuple[str, ...], target: float | None = None) -> Figure:
    """The median rerun. RuntimeError when one does not show all `proofs`: an empty page is a fast one."""
    first = tab.rerun()
    reruns = [tab.rerun() for _ in range(_WARM_UP + _RERUNS)]
    for each in (first, *reruns):
        if missing := [words for words in proofs if not each.shows(words)]:
            raise RuntimeError(f"{name}: the page does not show {missing}")
    size = f"{first.received / 1024:.0f} KiB, then {reruns[-1].received / 1024:.0f} KiB"
    say(f"{name}: {size} in {len(reruns[-1].frames)} messages; first run {first.seconds:.2f} s")
    return Figure(name, milliseconds([each.seconds for each in reruns[_WARM_UP:]]), "ms", target)


BENCH = Bench(("rerun.chat_100_messages", "usage.page_rerun", "rerun.baseline"), run)
