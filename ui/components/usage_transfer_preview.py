"""What is in a file, before anything of it is recorded."""

from collections.abc import Mapping

import streamlit as st

from core.usage.imports.types import Format, ModelLine, Preview, SampleRow
from ui import format as fmt
from ui.components.usage_measure import money_text, provider_name
from ui.components.usage_transfer_words import FORMATS, REASONS
from ui.door import Viewer
from ui.plain import escape, plain_text

_MOST_MODELS = 12
# Only our own exports have all of these columns.
_OF_AIHUB = {"time_utc", "time_local", "tokens_estimated", "price_source", "fallback_from", "request_id"}


def preview_part(viewer: Viewer, preview: Preview) -> None:
    """The figures, what is left out, some rows, and the button that imports the rest."""
    _, ngettext, language = viewer.tr.text, viewer.tr.plural, viewer.tr.language
    new = preview.calls - preview.known
    with st.container(key="import-preview", border=True):
        st.markdown(f"**{escape(preview.file_name)}**")
        st.caption(escape(_facts(viewer, preview)))
        if preview.models:
            _models(viewer, preview.models)
        if new and {*preview.columns, *preview.unused} >= _OF_AIHUB:
            st.warning(
                _(
                    "This is an export of AIHub. Import it into another hub only: where these calls were made they "
                    "would count twice."
                )
            )
        for note in _notes(viewer, preview):
            st.caption(plain_text(note))
        _skips(viewer, preview)
        if preview.sample:
            with st.expander(_("First rows, as they would be recorded")):
                _sample(viewer, preview.sample)
        if not new:
            empty = _("No row of this file can be imported.")
            known = _("Everything in this file was imported before: there is nothing to add.")
            st.info(known if preview.calls else empty)
        with st.container(horizontal=True):
            jobs, user = viewer.services.import_jobs, viewer.account.id
            label = ngettext(
                "Import {number} call", "Import {number} calls", new, number=fmt.exact(new, language)
            )
            if new:
                st.button(label, key="import-start", type="primary", on_click=jobs.start, args=(user,))
            st.button(_("Discard"), key="import-discard", on_click=jobs.dismiss, args=(user,))


def _facts(viewer: Viewer, preview: Preview) -> str:
    _, ngettext, language = viewer.tr.text, viewer.tr.plural, viewer.tr.language
    parts = [
        _(FORMATS[preview.format]),
        ngettext("{number} row", "{number} rows", preview.rows, number=fmt.exact(preview.rows, language)),
    ]
    if preview.first_day and preview.last_day:
        parts.append(fmt.day_range(preview.first_day, preview.last_day, language))
    if preview.encoding and preview.encoding != "utf-8":
        guess = _("{encoding} (a guess)", encoding=preview.encoding)
        parts.append(guess if preview.guessed else preview.encoding)
    return " · ".join(parts)


def _models(viewer: Viewer, models: tuple[ModelLine, ...]) -> None:
    _, ngettext, language = viewer.tr.text, viewer.tr.plural, viewer.tr.language
    shown = models[:_MOST_MODELS]
    st.table(
        {
            _("Model"): [escape(f"{provider_name(viewer, line.provider)} · {line.model}") for line in shown],
            _("Requests"): [fmt.exact(line.requests, language) for line in shown],
            _("Input"): [fmt.exact(line.input_tokens, language) for line in shown],
            _("Output"): [fmt.exact(line.output_tokens, language) for line in shown],
            _("Cost in the file"): [_costs(viewer, line.given) for line in shown],
            _("By AIHub's prices"): [_costs(viewer, line.priced) for line in shown],
            _("Unpriced"): [fmt.exact(line.unpriced, language) if line.unpriced else "—" for line in shown],
        },
        border="horizontal",
        hide_index=True,
    )
    if rest := len(models) - len(shown):
        st.caption(ngettext("and {number} more model", "and {number} more models", rest, number=rest))


def _costs(viewer: Viewer, costs: Mapping[str, int]) -> str:
    return escape(money_text(viewer, costs))


def _notes(viewer: Viewer, preview: Preview) -> list[str]:
    _, ngettext, language = viewer.tr.text, viewer.tr.plural, viewer.tr.language
    notes: list[str] = []
    if preview.known:
        notes.append(
            ngettext(
                "{number} call was imported before and will not be added again.",
                "{number} calls were imported before and will not be added again.",
                preview.known,
                number=fmt.exact(preview.known, language),
            )
        )
    if preview.summed and not preview.counted:
        notes.append(_("This export does not say how many requests a row stands for: each counts as one."))
    if preview.format in (Format.ANTHROPIC_COSTS, Format.OPENAI_COSTS):
        notes.append(
            _(
                "This export has costs and no tokens. Import it or the usage export of the same days, not both, or "
                "their cost counts twice."
            )
        )
    if preview.unused:
        names = ", ".join(preview.unused[:10])
        notes.append(_("Columns that are not used: {names}", names=names))
    return notes


def _skips(viewer: Viewer, preview: Preview) -> None:
    if not preview.skips:
        return
    _, ngettext, language = viewer.tr.text, viewer.tr.plural, viewer.tr.language
    skipped = sum(skip.rows for skip in preview.skips)
    st.markdown(
        ngettext(
            "{number} row will be skipped",
            "{number} rows will be skipped",
            skipped,
            number=fmt.exact(skipped, language),
        )
    )
    st.table(
        {
            _("Why"): [escape(_(REASONS[skip.reason])) for skip in preview.skips],
            _("Rows"): [fmt.exact(skip.rows, language) for skip in preview.skips],
            _("First in row"): [fmt.exact(skip.row, language) for skip in preview.skips],
            _("Column"): [escape(skip.column) or "—" for skip in preview.skips],
            _("Cell"): [escape(skip.example) or "—" for skip in preview.skips],
        },
        border="horizontal",
        hide_index=True,
    )


def _sample(viewer: Viewer, rows: tuple[SampleRow, ...]) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    st.table(
        {
            _("Row"): [fmt.exact(row.row, language) for row in rows],
            _("Time"): [fmt.moment(row.occurred_at, viewer.services.ledger.zone, language) for row in rows],
            _("Model"): [escape(row.model) for row in rows],
            _("Requests"): [fmt.exact(row.requests, language) for row in rows],
            _("Input"): [fmt.exact(row.input_tokens, language) for row in rows],
            _("Output"): [fmt.exact(row.output_tokens, language) for row in rows],
            _("Cost"): [
                _("unpriced") if row.nano is None else escape(fmt.money(row.nano, row.currency, language))
                for row in rows
            ],
        },
        border="horizontal",
        hide_index=True,
    )
