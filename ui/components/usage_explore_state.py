"""The view of the Usage page: kept for the tab, told by the address, and changed by clicks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import streamlit as st

from core.usage.explore.part_types import Part
from core.usage.explore.types import Dimension, Where
from ui.components.usage_address import NAMES, address_of, asked_of
from ui.components.usage_asked import CALLS, CUSTOM, Asked
from ui.session import Slot, recall, remember, take


@dataclass(frozen=True, slots=True)
class _Kept:
    """A view, and the address it was last written to."""

    asked: Asked
    address: dict[str, list[str]]


def present(arrived: bool, sections: Sequence[str]) -> Asked:
    """The view to draw now. The address counts when it says something new (a link, the browser's Back); else what
    the tab remembers, which is also what one finds again on coming back (`arrived`) from another page.
    `sections`: the parts that there are.
    """
    kept = recall(Slot.USAGE_ASKED)
    address = {name: st.query_params.get_all(name) for name in NAMES if name in st.query_params}
    # A click may be on its way before the browser has taken over the address of the one before.
    changed = take(Slot.USAGE_CHANGED)
    asked = asked_of(address)
    if isinstance(kept, _Kept) and (changed or address == kept.address or (arrived and not address)):
        asked = kept.asked
    if asked.section not in sections:
        asked = replace(asked, section="")
    # Only calls are told apart by a bar; what is summed up is not.
    return _keep(asked if asked.section == CALLS else replace(asked, part=None))


def change(**fields: Any) -> None:
    """Ask for something else: for callbacks. `fields` as in Asked."""
    _show(replace(_now(), **fields))


def narrow(dimension: Dimension, values: Sequence[str]) -> None:
    """Leave out the calls that have none of `values`: for callbacks."""
    _show(_now().only(dimension, values))


def reset() -> None:
    """Take every filter back: for callbacks."""
    _show(_now().without_filters())


def drill(
    section: str,
    start: date | None = None,
    end: date | None = None,
    where: Where = (),
    everyone: bool = False,
    part: Part | None = None,
) -> None:
    """Open a section of the page on fewer calls, with a way back: for callbacks. No days: those shown."""
    asked = _now()
    remember(Slot.USAGE_BACK, asked)
    for dimension, values in where:
        asked = asked.only(dimension, values)
    if start is not None and end is not None:
        asked = replace(asked, preset=CUSTOM, start=start, end=end)
    _show(replace(asked, section=section, everyone=asked.everyone or everyone, part=part))


def go_back() -> None:
    """Show what was shown before `drill`: for callbacks."""
    before = take(Slot.USAGE_BACK)
    if isinstance(before, Asked):
        _show(before)


def settle(asked: Asked) -> None:
    """Keep a view that was found to ask for what is not there, without it."""
    _keep(asked)


def _now() -> Asked:
    kept = recall(Slot.USAGE_ASKED)
    return kept.asked if isinstance(kept, _Kept) else Asked()


def _show(asked: Asked) -> None:
    remember(Slot.USAGE_CHANGED, True)
    _keep(asked)


def _keep(asked: Asked) -> Asked:
    address = address_of(asked)
    remember(Slot.USAGE_ASKED, _Kept(asked, address))
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    wanted = {name: values for name, values in params.items() if name not in NAMES} | address
    if wanted != params:
        # All at once: each write is an entry of the browser's history.
        st.query_params.from_dict(wanted)
    return asked
