"""The figures at the top, against what the range is compared with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.usage.explore.types import Exploration, Measures, Percentiles
from ui import format as fmt
from ui.components.kpi_tiles import Tile, Tone, kpi_tiles
from ui.components.usage_asked import Kind
from ui.components.usage_measure import Measure, cost_text, in_order, money_text
from ui.door import Viewer


@dataclass(frozen=True, slots=True)
class _Of:
    """A figure of a tile: what is measured, what stands there, and what must be said about it."""

    kind: Kind
    label: str
    value: str
    hints: Sequence[str]
    currency: str = ""
    among_others: bool = False
    """Whether there are amounts in other currencies beside the one measured."""


def kpi_row(viewer: Viewer, found: Exploration, currency: str) -> None:
    """What the calls came to. Only errors are good or bad by themselves, so only their change has a colour."""
    _ = viewer.tr.text
    figures = [
        *_counts(viewer, found.total),
        *_amounts(viewer, found.total, currency),
        _errors(viewer, found),
    ]
    tiles = [_tile(viewer, found, figure) for figure in figures]
    kpi_tiles(
        [*tiles, _latency(viewer, found)],
        "usage-kpi",
        lambda label: _("What this figure is: {label}", label=label),
    )


def _counts(viewer: Viewer, total: Measures) -> list[_Of]:
    _ = viewer.tr.text
    language = viewer.tr.language
    hint = _("Calls to models, failed ones included.")
    return [
        _Of(Kind.REQUESTS, _("Requests"), fmt.count(total.requests, language), [hint]),
        _Of(Kind.TOKENS, _("Tokens"), fmt.count(total.tokens, language), _token_split(viewer, total)),
    ]


def _amounts(viewer: Viewer, total: Measures, currency: str) -> list[_Of]:
    _ = viewer.tr.text
    costs, saved = cost_text(viewer, total), money_text(viewer, total.saved)
    hints = _cost_hints(viewer, total), [_saved_hint(viewer, total)]
    return [
        _Of(Kind.COST, _("Cost"), costs, hints[0], currency, _has_others(total.costs)),
        _Of(Kind.SAVED, _("Saved"), saved, hints[1], currency, _has_others(total.saved)),
    ]


def _has_others(amounts: Mapping[str, int]) -> bool:
    return len(amounts) > 1


def _errors(viewer: Viewer, found: Exploration) -> _Of:
    _ = viewer.tr.text
    total, language = found.total, viewer.tr.language
    share = fmt.percent(total.errors / total.requests if total.requests else 0, language)
    hint = _("{share} of all requests failed.", share=share)
    return _Of(Kind.ERRORS, _("Errors"), fmt.count(total.errors, language), [hint])


def _tile(viewer: Viewer, found: Exploration, figure: _Of) -> Tile:
    measure = Measure(figure.kind, figure.currency, viewer.tr.language)
    line = [measure.of(point) for point in found.points]
    before = found.before
    change = before and fmt.change(measure.of(found.total), measure.of(before), viewer.tr.language)
    arrow = {"+": "up", "-": "down"}.get(change[0], "") if change else ""
    if change and figure.among_others:
        change = f"{change} · {figure.currency}"
    tone = Tone.PLAIN
    if figure.kind is Kind.ERRORS and arrow:
        tone = Tone.BAD if arrow == "up" else Tone.GOOD
    title = _line_title(viewer, measure.exact, line)
    return Tile(figure.label, figure.value, figure.hints, change or "", arrow, tone, line, title)


def _line_title(viewer: Viewer, write: Callable[[int], str], line: Sequence[int]) -> str:
    """What the line shows, in words."""
    _ = viewer.tr.text
    if not line:
        return ""
    return _("lowest {low} · highest {high}", low=write(min(line)), high=write(max(line)))


def _latency(viewer: Viewer, found: Exploration) -> Tile:
    """How long answers took. There is no line and no change: a percentile is known of a range, not of its days."""
    _ = viewer.tr.text
    speed = found.total.tokens_per_second
    lines = [
        _percentiles(viewer, _("Whole answer"), found.latency),
        _percentiles(viewer, _("First token"), found.first_token),
    ]
    if found.latency.calls or found.first_token.calls:
        lines.append(_("Percentiles are read from a histogram: they are at most 5% off."))
    if speed is not None:
        number = fmt.tenths(round(speed * 10), viewer.tr.language)
        lines.append(_("{number} tokens per second while answers came", number=number))
    first = _milliseconds(viewer, found.first_token.p95)
    below = _("first token {time}", time=first) if found.first_token.calls else ""
    return Tile(_("Latency, p95"), _milliseconds(viewer, found.latency.p95), lines, below)


def _percentiles(viewer: Viewer, name: str, found: Percentiles) -> str:
    parts = (("p50", found.p50), ("p95", found.p95), ("p99", found.p99))
    return f"{name}: " + " · ".join(f"{label} {_milliseconds(viewer, value)}" for label, value in parts)


def _milliseconds(viewer: Viewer, value: float | None) -> str:
    return "—" if value is None else fmt.duration(round(value), viewer.tr.language)


def _token_split(viewer: Viewer, total: Measures) -> list[str]:
    _ = viewer.tr.text
    parts = [
        (_("Input"), total.input_tokens),
        (_("of it cached"), total.cached_input_tokens),
        (_("Output"), total.output_tokens),
        (_("of it reasoning"), total.reasoning_tokens),
    ]
    return [f"{name}: {fmt.exact(number, viewer.tr.language)}" for name, number in parts]


def _cost_hints(viewer: Viewer, total: Measures) -> list[str]:
    _ = viewer.tr.text
    names = in_order(viewer, total.costs)
    amounts = [fmt.money_exact(total.costs[name], name, viewer.tr.language) for name in names]
    said = _("At list prices of the day of each call. Unpriced calls are left out.")
    return [said, " + ".join(amounts)] if amounts else [said]


def _saved_hint(viewer: Viewer, total: Measures) -> str:
    ngettext = viewer.tr.plural
    return ngettext(
        "What {number} answer from the cache of AIHub would have cost.",
        "What {number} answers from the cache of AIHub would have cost.",
        total.from_cache,
        number=fmt.exact(total.from_cache, viewer.tr.language),
    )
