"""How the ledger is: what it holds, whether its figures show all of it, and the work on it that runs."""

from collections.abc import Callable

import streamlit as st

from core.pricing.types import Money
from core.usage.upkeep import Progress, Work, WorkState
from core.usage.verify import Difference, Findings
from ui import format as fmt
from ui.components.notices import attempt
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.plain import escape, plain_text

_FEW = 20


def health_part(viewer: Viewer, view: UsageView) -> None:
    """What the ledger holds, and what can be done to it."""
    _, language, services = viewer.tr.text, viewer.tr.language, viewer.services
    health, database = services.upkeep.health(viewer.account), services.upkeep.database(viewer.account)
    st.subheader(_("The ledger"), anchor=False)
    days = "—"
    if health.first_day is not None and health.last_day is not None:
        days = fmt.day_range(health.first_day, health.last_day, language)
    rebuilt = fmt.moment(health.rebuilt_at, viewer.zone, language) if health.rebuilt_at else _("never needed")
    _facts(
        {
            _("Calls"): fmt.exact(health.events, language),
            _("Calls no figure shows yet"): fmt.exact(health.lag, language),
            _("Days with calls"): days,
            _("Last rebuild"): rebuilt,
            _("Time zone of days"): health.timezone,
            _("Database"): f"{database.kind} {database.version} · {fmt.file_size(database.size, language)}",
        }
    )
    busy, asked = _busy(viewer), view.selection
    with st.container(horizontal=True, key="usage-admin-actions"):
        st.button(
            _("Check these days"),
            key="usage-admin-check",
            disabled=busy,
            help=_("Adds up the calls of the days chosen on the left, and compares every figure with that."),
            on_click=begin,
            args=(viewer, lambda: services.upkeep.check(viewer.actor, asked.start, asked.end)),
        )
        st.button(
            _("Rebuild all figures"),
            key="usage-admin-rebuild",
            disabled=busy,
            help=_(
                "Compares every figure with its calls, and computes anew what differs. Calls are recorded "
                "meanwhile."
            ),
            on_click=begin,
            args=(viewer, lambda: services.upkeep.rebuild(viewer.actor)),
        )


def begin(viewer: Viewer, work: Callable[[], object]) -> None:
    """For a callback: begin work on the ledger or end it, or say why that cannot be."""
    attempt(viewer, work)


def work_part(viewer: Viewer) -> None:
    """The work on the ledger that runs, or how the last one ended."""
    progress = viewer.services.upkeep.progress(viewer.account)
    if progress is None:
        return
    with st.container(key="usage-admin-work", border=progress.running):
        if progress.running:
            _running(viewer)
        else:
            _ended(viewer, progress)


def _busy(viewer: Viewer) -> bool:
    progress = viewer.services.upkeep.progress(viewer.account)
    return progress is not None and progress.running


def _facts(facts: dict[str, str]) -> None:
    with st.container(key="usage-admin-facts"):
        for name, value in facts.items():
            with st.container(gap=None):
                st.caption(escape(name))
                st.markdown(escape(value))


@st.fragment(run_every=1)
def _running(viewer: Viewer) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    progress = viewer.services.upkeep.progress(viewer.account)
    if progress is None or not progress.running:
        st.rerun()
    st.markdown(_title(viewer, progress))
    st.progress(progress.share)
    parts = [fmt.percent(progress.share, language)]
    if progress.rate is not None:
        rate = fmt.count(int(progress.rate), language)
        text = _("{rate} days a second") if progress.work is Work.CHECK else _("{rate} calls a second")
        parts.append(text.replace("{rate}", rate))
    if progress.seconds_left is not None:
        parts.append(_("about {time} left", time=fmt.duration(int(progress.seconds_left * 1000), language)))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(escape(" · ".join(parts)), width="stretch")
        st.button(
            _("Stop"),
            key="usage-admin-stop",
            on_click=begin,
            args=(viewer, lambda: viewer.services.upkeep.stop(viewer.actor)),
        )


def _title(viewer: Viewer, progress: Progress) -> str:
    _ = viewer.tr.text
    if progress.work is Work.ZONE:
        return escape(_("Counting days in {zone}", zone=progress.zone or ""))
    return (
        _("Rebuilding all figures") if progress.work is Work.REBUILD else _("Checking figures against calls")
    )


def _ended(viewer: Viewer, progress: Progress) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    time = fmt.duration(int(progress.seconds * 1000), language)
    if progress.state is WorkState.STOPPED:
        stopped = _("Stopped after {time}.", time=time)
        is_rebuild = progress.work is Work.REBUILD
        left = _("What was put right stays.") if is_rebuild else _("Nothing was changed.")
        st.info(f"{stopped} {left}")
    elif progress.error is not None:
        st.error(plain_text(progress.error.text(language)))
    elif progress.findings is not None:
        _findings(viewer, progress.findings, time)
    else:
        calls = fmt.exact(progress.calls, language)
        done = viewer.tr.plural(
            "{number} call in {time}", "{number} calls in {time}", progress.calls, number=calls, time=time
        )
        zone = escape(progress.zone or "")
        what = _("Days are counted in {zone} now", zone=zone) if zone else _("All figures are rebuilt")
        st.success(f"{what}: {done}.")


def _findings(viewer: Viewer, findings: Findings, time: str) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    days = fmt.day_range(findings.start, findings.end, language)
    figures, calls = (fmt.exact(each, language) for each in (findings.figures, findings.calls))
    facts = _(
        "{days}: {figures} figures compared with {calls} calls in {time}.",
        days=days,
        figures=figures,
        calls=calls,
        time=time,
    )
    if findings.all_well:
        well = _("No difference.")
        st.success(f"{well} {facts}")
        return
    st.error(
        _(
            "{found} figures differ from their calls, and {misplaced} calls lie in a wrong day. "
            "Rebuild all figures to mend that.",
            found=fmt.exact(findings.found, language),
            misplaced=fmt.exact(findings.misplaced, language),
        )
    )
    st.caption(facts)
    if shown := findings.differences[:_FEW]:
        _difference_table(viewer, shown)


def _difference_table(viewer: Viewer, shown: tuple[Difference, ...]) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    st.dataframe(
        {
            _("Day"): [each.day for each in shown],
            _("User"): [_("All users") if each.of_all_users else str(each.user_id) for each in shown],
            _("Source"): [_("All") if each.of_all_sources else each.source for each in shown],
            _("Model"): [f"{each.provider} · {each.model}" for each in shown],
            _("Figure"): [each.figure for each in shown],
            _("In the figures"): [_figure(each, each.rolled_up, language) for each in shown],
            _("In the calls"): [_figure(each, each.counted, language) for each in shown],
        },
        hide_index=True,
        column_config={_("Day"): st.column_config.DateColumn(format="localized")},
        key="usage-admin-differences",
        alt=_("Differences"),
    )


def _figure(difference: Difference, value: int, language: str) -> str:
    if difference.figure.endswith("_nano"):
        return f"{Money(value, difference.currency).decimal} {difference.currency}"
    return fmt.exact(value, language)
