"""What is out of line: each finding with its reason in words, and a way to the days and the model it is about."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

import streamlit as st
from babel.numbers import format_decimal

from core.i18n import N_
from core.pricing.types import Money
from core.usage.anomaly_types import Anomaly, AnomalyReport, Param, Severity
from core.usage.explore.types import Dimension, Selection
from ui import format as fmt
from ui.components.usage_links import show_in_explore
from ui.door import Viewer
from ui.plain import escape

_SEVERITIES: dict[Severity, tuple[str, Literal["red", "orange", "gray"]]] = {
    Severity.SERIOUS: (N_("serious"), "red"),
    Severity.WARNING: (N_("warning"), "orange"),
    Severity.NOTICE: (N_("notice"), "gray"),
}
_DIMENSIONS = {
    Dimension.STATUS: N_("status"),
    Dimension.ERROR: N_("error kind"),
    Dimension.CATEGORY: N_("thread category"),
    Dimension.PROMPT: N_("prompt"),
    Dimension.LABEL: N_("label"),
    Dimension.THREAD: N_("thread"),
}


def findings_part(viewer: Viewer, asked: Selection, currency: str, ignored: Sequence[Dimension] = ()) -> None:
    """Of the days that are chosen, the gravest first."""
    _ = viewer.tr.text
    report = viewer.services.insight.anomalies(asked, currency)
    with st.container(horizontal=True, vertical_alignment="bottom", key="outlook-findings-head"):
        st.subheader(_("Out of line"), anchor=False, width="content")
        st.caption(fmt.day_range(asked.start, asked.end, viewer.tr.language))
    say_ignored(viewer, ignored)
    _say_none(viewer, report)
    with st.container(key="outlook-findings"):
        for number, each in enumerate(report.findings):
            _finding(viewer, number, each)
    if report.unconverted:
        names = ", ".join(sorted(report.unconverted))
        st.caption(_("Costs in {currencies} are not looked at: no exchange rate is known.", currencies=names))


def say_ignored(viewer: Viewer, ignored: Sequence[Dimension]) -> None:
    """Which filters a roll-up by day cannot apply."""
    _ = viewer.tr.text
    if ignored:
        names = ", ".join(_(_DIMENSIONS[each]) for each in ignored)
        st.caption(_("Not filtered here by: {names}.", names=names))


def _say_none(viewer: Viewer, report: AnomalyReport) -> None:
    _ = viewer.tr.text
    if report.findings:
        return
    if report.too_short:
        st.caption(
            _(
                "Too little is known to say what is usual: it takes 14 days with calls in the eight weeks "
                "before the last day of the range."
            )
        )
    else:
        st.caption(_("Nothing: no day and no model stands out against its eight weeks before."))


def _finding(viewer: Viewer, number: int, each: Anomaly) -> None:
    _ = viewer.tr.text
    name, colour = _SEVERITIES[each.severity]
    severity = _(name)
    reason = _(each.reason.message, **{key: _said(viewer, key, of) for key, of in each.reason.params.items()})
    with st.container(
        key=f"outlook-finding-{number}", horizontal=True, vertical_alignment="center", gap="small"
    ):
        st.markdown(f":{colour}-badge[{escape(severity)}] {escape(reason)}", width="stretch")
        st.button(
            _("Show in Explore"),
            key=f"outlook-show-{number}",
            type="tertiary",
            on_click=show_in_explore,
            args=(each.where,),
        )


def _said(viewer: Viewer, name: str, value: Param) -> str:
    """A figure of a finding as its reader writes it."""
    language = viewer.tr.language
    if isinstance(value, Money):
        return fmt.money(value.nano, value.currency, language)
    if isinstance(value, date):
        return fmt.day(value, language)
    if isinstance(value, Decimal):
        return format_decimal(value, locale=language) if name == "times" else fmt.percent(value, language)
    return fmt.exact(value, language) if isinstance(value, int) else value
