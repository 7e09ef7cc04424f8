"""The cost of each row of a chunk: given by the file, else by our prices of its day, else unknown."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.pricing.types import GIVEN
from core.providers.types import TokenUsage
from core.usage.imports.arrow import Array, np, pa, pc
from core.usage.imports.cells import Texts
from core.usage.imports.layouts import Layout
from core.usage.imports.numbers import amounts, decimal_of
from core.usage.imports.pricing import RowPricer
from core.usage.imports.skips import ChunkSkips
from core.usage.imports.types import COUNTS, DecimalSign, Field, Format, SkipReason
from core.usage.imports.words import is_true, special_tier

MOST_NANO = 10**16
"""Nano-units: no one row costs ten million."""

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_WORDS = {"руб": "RUB", "руб.": "RUB", "₽": "RUB", "$": "USD", "€": "EUR", "рубль": "RUB", "рубли": "RUB"}
# These tools write 0 where they know no price.
_ZERO_IS_UNKNOWN = frozenset({Format.LITELLM, Format.LANGFUSE, Format.LANGFUSE_TRACES})


@dataclass(frozen=True, slots=True)
class Charged:
    """Columns of a chunk. `nano` None is unpriced; `saved`: what an answer from the other tool's cache would have
    cost by our prices, None where nobody knows."""

    nano: list[int | None]
    saved: list[int | None]
    currency: list[str]
    source: list[str]
    given: Array
    from_cache: Array
    says_something: Array

    def columns(self) -> dict[str, Any]:
        return {
            "cost_nano": pa().array(self.nano, pa().int64()),
            "saved_nano": pa().array(self.saved, pa().int64()),
            "currency": pa().array(self.currency, pa().string()),
            "price_source": pa().array(self.source, pa().string()),
            "given": self.given,
            "from_cache": self.from_cache,
        }


class Costs:
    """Prices the chunks of one file."""

    def __init__(self, layout: Layout, currency: str, decimal: DecimalSign, pricer: RowPricer) -> None:
        self._layout = layout
        self._currency = currency
        self._decimal = decimal
        self._pricer = pricer
        self._given = f"{GIVEN}{layout.title}"

    def of(
        self,
        texts: Texts,
        skips: ChunkSkips,
        names: tuple[Array, Array],
        numbers: dict[Field, Array],
        at: Array,
        failed: Array,
    ) -> Charged:
        """What each row costs; rows that are skipped already are not priced."""
        nano, currency = self._said(texts, skips)
        cached = self._from_cache(texts)
        tokens = numbers[Field.INPUT] + numbers[Field.OUTPUT]
        known: Any = np().array([amount is not None for amount in nano], bool)
        says = np().array([bool(amount) for amount in nano], bool)
        if self._layout.format in _ZERO_IS_UNKNOWN:
            known = known & (says | (tokens == 0) | cached)
        known = known | cached
        sources = [self._given] * len(texts)
        todo = np().flatnonzero(~known & skips.kept)
        if len(todo):
            self._price(texts, names, numbers, at, failed, (todo.tolist(), nano, currency, sources))
        saved: list[int | None] = [None] * len(texts)
        answered = np().flatnonzero(cached & skips.kept).tolist()
        if answered:
            theirs = list(currency)
            self._price(texts, names, numbers, at, failed, (answered, saved, theirs, list(sources)))
            for place in answered:
                nano[place], currency[place] = 0, theirs[place]
        return Charged(nano, saved, currency, sources, known, cached, says)

    def _said(self, texts: Texts, skips: ChunkSkips) -> tuple[list[int | None], list[str]]:
        """Amounts and currencies as the file has them."""
        nano: list[int | None] = [None] * len(texts)
        signs: dict[int, str] = {}
        cells, title = texts.get(Field.COST), texts.title(Field.COST)
        if cells is not None:
            nano, bad, signs = amounts(cells, self._decimal)
            skips.mark_places(bad, SkipReason.BAD_NUMBER, title, cells)
            self._refuse(nano, skips, title, cells)
        details = texts.get(Field.COST_JSON)
        if details is not None:
            for place, text in enumerate(details.to_pylist()):
                if nano[place] is None and text:
                    nano[place] = _total(text)
        return nano, self._currencies(texts, skips, signs)

    def _refuse(self, nano: list[int | None], skips: ChunkSkips, title: str, cells: Array) -> None:
        negative = [place for place, amount in enumerate(nano) if amount is not None and amount < 0]
        absurd = [place for place, amount in enumerate(nano) if amount is not None and amount > MOST_NANO]
        skips.mark_places(negative, SkipReason.NEGATIVE, title, cells)
        skips.mark_places(absurd, SkipReason.ABSURD, title, cells)
        for place in (*negative, *absurd):
            nano[place] = None

    def _currencies(self, texts: Texts, skips: ChunkSkips, signs: dict[int, str]) -> list[str]:
        cells = texts.get(Field.CURRENCY)
        found: list[str]
        if cells is None:
            found = [text or self._currency for text in texts.filled(Field.CURRENCY).to_pylist()]
        else:
            codes = texts.each(pc().fill_null(cells, self._currency), _code, pa().string())
            skips.mark(
                pc().is_null(codes).to_numpy(zero_copy_only=False),
                SkipReason.BAD_CURRENCY,
                texts.title(Field.CURRENCY),
                cells,
            )
            found = pc().fill_null(codes, self._currency).to_pylist()
        for place, code in signs.items():
            if cells is None or cells[place].as_py() is None:
                found[place] = code
        return found

    def _from_cache(self, texts: Texts) -> Array:
        hits = texts.get(Field.CACHE_HIT)
        if hits is None:
            return np().zeros(len(texts), bool)
        return texts.each(pc().fill_null(hits, ""), is_true, pa().bool_()).to_numpy(zero_copy_only=False)

    def _price(
        self,
        texts: Texts,
        names: tuple[Array, Array],
        numbers: dict[Field, Array],
        at: Array,
        failed: Array,
        target: tuple[list[int], list[int | None], list[str], list[str]],
    ) -> None:
        places, nano, currency, sources = target
        special = self._special(texts)
        providers, models = names[0].to_pylist(), names[1].to_pylist()
        used = [numbers[each].tolist() for each in COUNTS]
        requests, moments = numbers[Field.REQUESTS].tolist(), at.tolist()
        summed = self._layout.summed
        for place in places:
            usage = TokenUsage(*(column[place] for column in used))
            if special is not None and special[place]:
                nano[place], currency[place] = None, "USD"
                sources[place] = f"unpriced: charged by a price of its own ({special[place]})"
            elif not usage.total_tokens and (failed[place] or summed):
                nano[place], currency[place], sources[place] = (
                    None,
                    "USD",
                    "unpriced: the file names no tokens",
                )
            else:
                many = requests[place]
                nano[place], currency[place], sources[place] = self._pricer.cost(
                    providers[place],
                    models[place],
                    usage,
                    moments[place],
                    many,
                    summed=summed and many != 1,
                )

    def _special(self, texts: Texts) -> list[str] | None:
        """Words of rows that no list price holds for, "" for the others."""
        places = texts.places(Field.TIER)
        if not places:
            return None

        def told(joined: str) -> str:
            words = zip(places, joined.split("\x1f"), strict=False)
            return ", ".join(f"{texts.header[place]} {word}" for place, word in words if special_tier(word))[
                :120
            ]

        return texts.each(texts.joined(places), told, pa().string()).to_pylist()


def _code(text: str) -> str | None:
    code = _WORDS.get(text.strip().lower(), text.strip().upper())
    return code if _CODE.fullmatch(code) else None


def _total(text: str) -> int | None:
    """Nano-units of amounts by kind: their total, or their sum; None for what is no such thing."""
    try:
        said = json.loads(text, parse_float=str, parse_int=str)
        parts = {name: decimal_of(str(value), DecimalSign.POINT) for name, value in said.items()}
    except (ValueError, AttributeError):
        return None
    if not parts or None in parts.values():
        return None
    total = (
        parts["total"] if "total" in parts else sum((part or Decimal() for part in parts.values()), Decimal())
    )
    nano = int(((total or Decimal()) * 10**9).to_integral_value())
    return nano if 0 <= nano <= MOST_NANO else None
