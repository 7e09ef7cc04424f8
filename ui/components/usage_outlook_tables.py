"""The figures behind the outlook's charts."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from core.pricing.types import Money
from core.usage.forecast_types import Backtest, Forecast
from ui.components.usage_number_columns import count_column, estimated, money_column
from ui.door import Viewer


def standing_table(viewer: Viewer, found: Forecast) -> None:
    """The month day by day, as it was and as it may be."""
    _ = viewer.tr.text
    standings = found.standings()
    currency = found.currency
    values = {
        _("So far"): [_units(each.actual, currency) for each in standings],
        _("Low"): [_units(each.estimate and each.estimate.low, currency) for each in standings],
        _("Expected"): [_units(each.estimate and each.estimate.expected, currency) for each in standings],
        _("High"): [_units(each.estimate and each.estimate.high, currency) for each in standings],
    }
    _table(
        viewer,
        {_("Day"): [each.day for each in standings]},
        values,
        currency,
        "outlook-table-days",
        _("The month so far, with its forecast"),
    )


def backtest_table(viewer: Viewer, tested: Backtest, currency: str) -> None:
    """Each month that is over, as it would have been forecast."""
    _ = viewer.tr.text
    cases = tuple(reversed(tested.cases))
    values = {
        _("Low"): [_units(case.forecast.low, currency) for case in cases],
        _("Expected"): [_units(case.forecast.expected, currency) for case in cases],
        _("High"): [_units(case.forecast.high, currency) for case in cases],
        _("Pace so far"): [_units(case.run_rate, currency) for case in cases],
        _("Came to"): [_units(case.actual, currency) for case in cases],
    }
    names = {
        _("Forecast on"): [case.origin for case in cases],
        _("Within"): [_("yes") if case.covered else _("no") for case in cases],
    }
    _table(viewer, names, values, currency, "outlook-table-backtest", _("Forecasts of months that are over"))


def _table(
    viewer: Viewer,
    names: Mapping[str, Sequence[object]],
    values: Mapping[str, Sequence[Any]],
    currency: str | None,
    key: str,
    alt: str,
) -> None:
    first = next(iter(names))
    column: Any = count_column
    titled: Mapping[str, Sequence[Any]] = values
    if currency is not None:
        column = money_column
        titled = {f"{name}, {currency}": estimated(of) for name, of in values.items()}
    st.dataframe(
        {**names, **titled},
        hide_index=True,
        placeholder="—",
        column_config={
            first: st.column_config.DateColumn(format="localized"),
            **{title: column(title, of) for title, of in titled.items()},
        },
        key=key,
        alt=alt,
    )


def _units(value: int | None, currency: str | None) -> Decimal | int | None:
    return value if value is None or currency is None else Money(value, currency).decimal
