"""How calls are spread: by how long they took, and what answers cost against how long they are."""

from collections.abc import Sequence

import streamlit as st

from core.pricing.types import Money
from core.usage.explore.part_types import Part, Spread
from core.usage.explore.types import Bucket, LengthBucket, Patterns
from ui import format as fmt
from ui.charts import Place, Series, period_bars
from ui.components.usage_asked import Kind
from ui.components.usage_measure import Measure
from ui.components.usage_number_columns import count_column, money_column, step_of
from ui.components.usage_parts import open_part, open_row, span_of
from ui.components.usage_plot import plot
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.palette import BLUE, GREEN, TEAL

# More bars than that are too thin to point at; neighbours are put together.
_MOST_BARS = 36
_LENGTHS, _LENGTH_ROWS = "usage-lengths", "usage-table-lengths"


def latency_section(viewer: Viewer, view: UsageView, found: Patterns) -> None:
    """Latency beside the time to the first token."""
    _ = viewer.tr.text
    left, right = st.columns(2, gap="large")
    with left:
        _spread(viewer, view, Spread.LATENCY, found.latency, BLUE[0])
    with right:
        _spread(viewer, view, Spread.FIRST, found.first_token, TEAL[0])


def length_section(viewer: Viewer, view: UsageView, found: Patterns) -> None:
    """What one answer costs on average, by its output tokens."""
    _ = viewer.tr.text
    st.subheader(_("Cost of an answer by its length"), anchor=False)
    currencies = sorted({name for bucket in found.lengths for name in bucket.costs})
    if not currencies:
        st.caption(_("Nothing to draw: none of these calls has a price."))
        return
    currency = view.asked.drawn if view.asked.drawn in currencies else _main(found.lengths, currencies)
    language = viewer.tr.language
    buckets = [bucket for bucket in found.lengths if bucket.priced.get(currency)]
    measure = Measure(Kind.COST, currency, language)
    parts = [Part(Spread.LENGTH, bucket.low, bucket.high + 1) for bucket in buckets]
    places = [
        Place(_("{range} output tokens", range=span_of(part, language)), fmt.count(part.low, language))
        for part in parts
    ]
    means = [_mean(bucket, currency) for bucket in buckets]
    plot(
        period_bars(places, [Series("", GREEN[0], means)], measure.exact, measure.short, language),
        _LENGTHS,
        _("Average cost of an answer by its output tokens"),
        open_part(_LENGTHS, parts, view.asked),
    )
    st.caption(_("Average cost of completed answers with a price, by output tokens."))
    with st.expander(_("Table by length"), key="usage-length-rows", on_change="rerun") as table:
        if table.open:
            _length_table(viewer, buckets, currency, means)
            open_row(viewer, _LENGTH_ROWS, parts, view.asked)


def _main(buckets: Sequence[LengthBucket], currencies: Sequence[str]) -> str:
    return max(currencies, key=lambda name: sum(bucket.priced.get(name, 0) for bucket in buckets))


def _mean(bucket: LengthBucket, currency: str) -> int:
    return bucket.costs.get(currency, 0) // bucket.priced[currency]


def _length_table(
    viewer: Viewer, buckets: Sequence[LengthBucket], currency: str, means: Sequence[int]
) -> None:
    _ = viewer.tr.text
    cost = _("Average cost, {currency}", currency=currency)
    amounts = [Money(mean, currency).decimal for mean in means]
    counts = {
        _("From"): [bucket.low for bucket in buckets],
        _("To"): [bucket.high for bucket in buckets],
        _("Answers"): [bucket.calls for bucket in buckets],
        _("With a price"): [bucket.priced[currency] for bucket in buckets],
    }
    st.dataframe(
        {
            **counts,
            cost: amounts,
        },
        hide_index=True,
        column_config={
            **{name: count_column(name, values) for name, values in counts.items()},
            cost: money_column(cost, amounts),
        },
        key=_LENGTH_ROWS,
        alt=_("Average cost of an answer by its output tokens"),
        on_select="rerun",
        selection_mode="single-row",
    )


def _spread(viewer: Viewer, view: UsageView, of: Spread, buckets: Sequence[Bucket], colour: str) -> None:
    _ = viewer.tr.text
    language = viewer.tr.language
    title = _("Latency") if of is Spread.LATENCY else _("Time to the first token")
    st.subheader(title, anchor=False)
    if not buckets:
        st.caption(_("None of these calls was timed."))
        return
    shown = _together(buckets)
    parts = [Part(of, int(bucket.low), int(bucket.high)) for bucket in shown]
    places = [Place(span_of(part, language), fmt.duration(part.low, language)) for part in parts]
    figure = period_bars(
        places,
        [Series("", colour, [bucket.calls for bucket in shown])],
        lambda value: viewer.tr.plural(
            "{number} call", "{number} calls", value, number=fmt.exact(value, language)
        ),
        lambda value: fmt.count(value, language),
        language,
    )
    key = f"usage-{of.value}"
    plot(figure, key, _("Calls by {measure}", measure=title.lower()), open_part(key, parts, view.asked))
    with st.expander(_("Table of calls"), key=f"{key}-rows", on_change="rerun") as table:
        if table.open:
            _spread_table(viewer, view, f"usage-table-{of.value}", title, shown, parts)


def _spread_table(
    viewer: Viewer,
    view: UsageView,
    key: str,
    title: str,
    shown: Sequence[Bucket],
    parts: Sequence[Part],
) -> None:
    _ = viewer.tr.text
    low, high, calls = _("From, s"), _("To, s"), [bucket.calls for bucket in shown]
    seconds = st.column_config.NumberColumn(format="localized", step=step_of(3))
    st.dataframe(
        {
            low: [bucket.low / 1000 for bucket in shown],
            high: [bucket.high / 1000 for bucket in shown],
            _("Calls"): calls,
        },
        hide_index=True,
        column_config={low: seconds, high: seconds, _("Calls"): count_column(_("Calls"), calls)},
        key=key,
        alt=title,
        on_select="rerun",
        selection_mode="single-row",
    )
    open_row(viewer, key, parts, view.asked)


def _together(buckets: Sequence[Bucket]) -> list[Bucket]:
    """Neighbours put together until there are few enough bars."""
    size = -(-len(buckets) // _MOST_BARS)
    parts = [buckets[at : at + size] for at in range(0, len(buckets), size)]
    return [Bucket(part[0].low, part[-1].high, sum(bucket.calls for bucket in part)) for part in parts]
