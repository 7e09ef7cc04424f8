"""How calls are spread: by how long they took, and what answers cost against how long they are."""

from collections.abc import Sequence

import streamlit as st

from core.pricing.types import Money
from core.usage.explore.types import Bucket, LengthBucket, Patterns
from ui import format as fmt
from ui.charts import Place, Series, period_bars
from ui.components.usage_explore_state import Kind
from ui.components.usage_measure import Measure
from ui.components.usage_number_columns import count_column, money_column, step_of
from ui.components.usage_plot import plot
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.palette import BLUE, GREEN, TEAL

# More bars than that are too thin to point at; neighbours are put together.
_MOST_BARS = 36


def latency_section(viewer: Viewer, found: Patterns) -> None:
    """Latency beside the time to the first token."""
    _ = viewer.tr.text
    left, right = st.columns(2, gap="large")
    with left:
        _spread(viewer, _("Latency"), found.latency, "usage-latency", BLUE[0])
    with right:
        _spread(viewer, _("Time to the first token"), found.first_token, "usage-first-token", TEAL[0])


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
    places = [
        Place(_("{range} output tokens", range=_range(bucket, language)), fmt.count(bucket.low, language))
        for bucket in buckets
    ]
    means = [_mean(bucket, currency) for bucket in buckets]
    plot(
        period_bars(places, [Series("", GREEN[0], means)], measure.exact, measure.short, language),
        "usage-lengths",
        _("Average cost of an answer by its output tokens"),
    )
    st.caption(_("Average cost of completed answers with a price, by output tokens."))
    with st.expander(_("Table by length"), key="usage-length-rows", on_change="rerun") as table:
        if table.open:
            _length_table(viewer, buckets, currency, means)


def _main(buckets: Sequence[LengthBucket], currencies: Sequence[str]) -> str:
    return max(currencies, key=lambda name: sum(bucket.priced.get(name, 0) for bucket in buckets))


def _mean(bucket: LengthBucket, currency: str) -> int:
    return bucket.costs.get(currency, 0) // bucket.priced[currency]


def _range(bucket: LengthBucket, language: str) -> str:
    low, high = fmt.exact(bucket.low, language), fmt.exact(bucket.high, language)
    return low if low == high else f"{low} – {high}"


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
        key="usage-table-lengths",
        alt=_("Average cost of an answer by its output tokens"),
    )


def _spread(viewer: Viewer, title: str, buckets: Sequence[Bucket], key: str, colour: str) -> None:
    _ = viewer.tr.text
    language = viewer.tr.language
    st.subheader(title, anchor=False)
    if not buckets:
        st.caption(_("None of these calls was timed."))
        return
    shown = _together(buckets)
    places = [
        Place(
            f"{fmt.duration(round(bucket.low), language)} – {fmt.duration(round(bucket.high), language)}",
            fmt.duration(round(bucket.low), language),
        )
        for bucket in shown
    ]
    calls = [bucket.calls for bucket in shown]
    figure = period_bars(
        places,
        [Series("", colour, calls)],
        lambda value: viewer.tr.plural(
            "{number} call", "{number} calls", value, number=fmt.exact(value, language)
        ),
        lambda value: fmt.count(value, language),
        language,
    )
    plot(figure, key, _("Calls by {measure}", measure=title.lower()))
    with st.expander(_("Table of calls"), key=f"{key}-rows", on_change="rerun") as table:
        if table.open:
            low, high = _("From, s"), _("To, s")
            column = st.column_config
            st.dataframe(
                {
                    low: [bucket.low / 1000 for bucket in shown],
                    high: [bucket.high / 1000 for bucket in shown],
                    _("Calls"): calls,
                },
                hide_index=True,
                column_config={
                    low: column.NumberColumn(format="localized", step=step_of(3)),
                    high: column.NumberColumn(format="localized", step=step_of(3)),
                    _("Calls"): count_column(_("Calls"), calls),
                },
                key=f"usage-table-{key}",
                alt=title,
            )


def _together(buckets: Sequence[Bucket]) -> list[Bucket]:
    """Neighbours put together until there are few enough bars."""
    size = -(-len(buckets) // _MOST_BARS)
    parts = [buckets[at : at + size] for at in range(0, len(buckets), size)]
    return [Bucket(part[0].low, part[-1].high, sum(bucket.calls for bucket in part)) for part in parts]
