"""Calls, selections, and whatever can be done to a ledger: what the property tests of usage draw from."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from core.accounts.tables import User
from core.chat.tables import Thread
from core.errors import AppError, ErrorKind
from core.pricing.service import PriceBook
from core.pricing.types import UNPRICED, CallCost, Money
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.explore.service import ExploreService
from core.usage.explore.types import Dimension, Selection
from core.usage.imports.service import ImportService
from core.usage.imports.undoing import Undoing
from core.usage.ledger import Ledger
from core.usage.recost import RecostService
from core.usage.types import CallStatus, Source
from core.usage.verify import verify
from tests.support.import_files import plain, saved
from tests.support.people import ADMIN
from tests.support.store import LEDGER_TABLES, NOON, call

T = TypeVar("T")
FIRST, LAST = NOON.date() - timedelta(3), NOON.date() + timedelta(50)
KINDS = [None, ErrorKind.TIMEOUT, ErrorKind.RATE_LIMIT]

tokens = st.integers(0, 5_000)
CALLS = st.lists(
    st.builds(
        call,
        request_id=st.integers(0, 40).map("request-{}".format),
        user_id=st.integers(1, 3),
        occurred_at=st.integers(0, 60 * 24 * 45).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        provider=st.sampled_from(["gemini", "openai"]),
        model=st.sampled_from(["a", "модель"]),
        source=st.sampled_from([Source.CHAT, Source.API, Source.IMPORT, Source.SAMPLE]),
        status=st.sampled_from(list(CallStatus)),
        error_kind=st.sampled_from(KINDS),
        usage=st.builds(TokenUsage, input_tokens=tokens, output_tokens=tokens, estimated=st.booleans()),
        cost=st.one_of(
            st.just(UNPRICED),
            st.builds(Money, st.integers(0, 2**60), st.sampled_from(["USD", "RUB"])).map(
                lambda money: CallCost(money, "test")
            ),
        ),
        latency_ms=st.none() | st.integers(0, 100_000),
        first_token_ms=st.none() | st.integers(0, 9_000),
        from_cache=st.booleans(),
        saved_nano=st.none() | st.integers(0, 10**15),
        thread_id=st.none() | st.integers(1, 2),
        batch=st.sampled_from([None, "b"]),
        requests=st.sampled_from([1, 1, 1, 7]),
        tags=st.lists(
            st.sampled_from(
                [("label", "a=1"), ("label", "b=2"), ("prompt", "p"), ("category", "c"), ("category", "d")]
            ),
            max_size=3,
        ).map(tuple),
    ),
    max_size=16,
)
SELECTIONS = st.builds(
    Selection,
    scope=st.sampled_from([None, 1]),
    start=st.integers(0, 40).map(lambda days: FIRST + timedelta(days)),
    end=st.integers(40, 53).map(lambda days: FIRST + timedelta(days)),
    sample=st.sampled_from([False, False, True]),
    where=st.dictionaries(st.sampled_from(list(Dimension)), st.just(()), max_size=2).flatmap(
        lambda chosen: st.tuples(
            *(
                st.tuples(
                    st.just(each), st.lists(st.sampled_from(VALUES[each]), min_size=1, unique=True).map(tuple)
                )
                for each in chosen
            )
        )
    ),
)
VALUES: dict[Dimension, list[str]] = {
    Dimension.PROVIDER: ["gemini", "openai", "gone"],
    Dimension.MODEL: ["gemini/a", "openai/модель"],
    Dimension.SOURCE: ["chat", "api", "import", "sample"],
    Dimension.USER: ["1", "2", "0"],
    Dimension.STATUS: ["completed", "failed", "stopped"],
    Dimension.ERROR: ["", "timeout"],
    Dimension.CATEGORY: ["", "c"],
    Dimension.PROMPT: ["", "p"],
    Dimension.LABEL: ["", "a=1", "b=2"],
    Dimension.THREAD: ["", "1"],
}


def emptied(unit: UnitOfWork) -> None:
    """A ledger that never held a call."""
    with unit.write() as session:
        for table in (*LEDGER_TABLES, "usage_imports", "recost_changes", "recosts"):
            session.execute(text(f"DELETE FROM {table}"))


ZONES = ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
_IMPORTED = st.lists(
    st.tuples(
        st.integers(0, 45),
        st.sampled_from(["a", "модель"]),
        tokens,
        st.none() | st.integers(0, 10**9),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=6,
)
_PRICED = st.one_of(st.none(), st.tuples(st.integers(0, 10**9), st.sampled_from(["USD", "RUB", "EUR"])))


class LedgerWork:
    """A ledger without calls, and `steps`: each does something to it that `data` draws."""

    def __init__(self, unit: UnitOfWork, folder: Path, data: st.DataObject) -> None:
        self._unit, self._folder, self._data = unit, folder, data
        emptied(unit)
        self._ledger = Ledger(ZoneInfo(self._draw(st.sampled_from(ZONES))))
        with unit.write() as session:
            self._ledger.open(session)
        self._imports = ImportService(unit, self._ledger, PriceBook(unit))
        self.steps: list[Callable[[], object]] = [
            self.record,
            self.record,
            self.fold,
            self.remove,
            self.rebuild,
            self.recost,
            self.take,
            self.undo,
            self.delete_threads,
        ]

    def readers(self) -> tuple[ExploreService, ExploreService]:
        """One that reads the roll-ups, and one that reads the calls only."""
        return ExploreService(self._unit, self._ledger), ExploreService(
            self._unit, self._ledger, only_calls=True
        )

    def assert_verified(self) -> None:
        """Every row of every roll-up is what its calls come to."""
        with self._unit.snapshot() as session:
            findings = verify(session, self._ledger.zone, date(2026, 11, 1), date(2027, 1, 31))
        assert findings.all_well, findings.differences

    def record(self) -> None:
        with self._unit.write() as session:
            self._ledger.record_many(session, self._draw(CALLS))

    def fold(self) -> None:
        with self._unit.write() as session:
            self._ledger.fold_all(session)

    def remove(self) -> None:
        with self._unit.write() as session:
            self._ledger.remove_batch(session, "b")

    def rebuild(self) -> None:
        """In the same zone, or in another one."""
        self._ledger.use(ZoneInfo(self._draw(st.sampled_from(ZONES))))
        with self._unit.write() as session:
            self._ledger.rebuild(session)

    def recost(self) -> None:
        """Each model gets a price a token, or none."""
        prices = {model: self._draw(_PRICED) for model in ("a", "модель")}

        def price(_provider: str, model: str, usage: TokenUsage, _at: object) -> CallCost:
            priced = prices[model]
            if priced is None:
                return UNPRICED
            return CallCost(Money(priced[0] * (usage.input_tokens + usage.output_tokens), priced[1]), "anew")

        recost = RecostService(self._unit, self._ledger, price)
        start = FIRST + timedelta(self._draw(st.integers(0, 20)))
        plan = recost.plan(ADMIN, start, LAST, model=self._draw(st.sampled_from([None, "a"])))
        if plan.changed:
            recost.apply(ADMIN, plan, "drawn")

    def take(self) -> None:
        """Import a file, of which some or all may be known."""
        lines = [
            f"{FIRST + timedelta(day)},openai,{model},{count},5,{'' if cost is None else f'0.{cost:09}'},{requests}"
            for day, model, count, cost, requests in self._draw(_IMPORTED)
        ]
        header = "date,provider,model,input_tokens,output_tokens,cost,requests"
        staged = self._folder / "staged"
        staged.unlink(missing_ok=True)
        user = self._draw(st.integers(1, 2))
        preview = self._imports.read(user, saved(self._folder, plain(*lines, header=header)), staged)
        under_way = any(info.left for info in self._imports.imports(user))
        if under_way or preview.known == preview.calls:
            with pytest.raises(AppError, match="being undone" if under_way else "imported before"):
                self._imports.write(user, preview, staged)
        else:
            self._imports.write(user, preview, staged)

    def undo(self) -> None:
        """Undo an import, or two calls of it."""
        going = [
            (user, info.id)
            for user in (1, 2)
            for info in self._imports.imports(user)
            if info.undone_at is None or info.left
        ]
        if going:
            under_way = Undoing(self._unit, self._ledger)
            if self._draw(st.booleans()):
                under_way.close()
            under_way.undo(*self._draw(st.sampled_from(going)))

    def delete_threads(self) -> None:
        """The threads that calls were made in are there, and go."""
        with self._unit.write() as session:
            if session.get(User, 1) is None:
                session.add(User(id=1, username="ann", is_admin=True, is_active=True, created_at=NOON))
                session.flush()
            there = set(session.scalars(select(Thread.id)))
            session.add_all(
                Thread(
                    id=number,
                    uuid=str(uuid.uuid4()),
                    user_id=1,
                    title="Ideas",
                    provider="gemini",
                    model="a",
                    created_at=NOON,
                    updated_at=NOON,
                    last_message_at=NOON,
                )
                for number in {1, 2} - there
            )
            session.flush()
            session.execute(delete(Thread))

    def _draw(self, strategy: "st.SearchStrategy[T]") -> T:
        return self._data.draw(strategy)
