"""The exports of other tools: by which headers each is known, and what its columns say.

The names are those of the tools' own documents and exports: OpenAI's usage dashboard (completions usage, costs and the
older activity export), Anthropic's Console (usage and cost), LiteLLM's table of spend logs, Langfuse's exports (of its
pages in camelCase, of its blob storage in snake_case; both are one after `columns.normal`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.usage.imports.columns import ColumnMap, match_plain, places_of
from core.usage.imports.types import Field, Format

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How one export looks.

    `known_by`: headers it always has; `known_by_one`: of which it has at least one. `columns`: the headers that say a
    field, the first that is there counts; `added`: all of them do, added up. `summed`: a row may stand for many
    requests, `counted`: it says how many. `utc`: its times are UTC unless they say otherwise. `day_by_day`: its rows
    grow until their day, or their bucket, is over. `title`: what follows in the source of a price that it gives.
    """

    format: Format
    title: str
    known_by: frozenset[str]
    columns: Mapping[Field, Names]
    known_by_one: frozenset[str] = frozenset()
    added: Mapping[Field, Names] = field(default_factory=dict[Field, Names])
    fixed: Mapping[Field, str] = field(default_factory=dict[Field, str])
    labels: Mapping[str, Names] = field(default_factory=dict[str, Names])
    identity: Names = ()
    summed: bool = False
    counted: bool = True
    utc: bool = True
    day_by_day: bool = False

    def fits(self, names: frozenset[str]) -> bool:
        """Whether a file with these (normal) headers is such an export."""
        return self.known_by <= names and (not self.known_by_one or bool(self.known_by_one & names))

    def match(self, header: Sequence[str]) -> ColumnMap:
        """The columns of a file that fits."""
        places = {name: found[0] for name, found in places_of(header).items()}
        columns: dict[Field, tuple[int, ...]] = {
            each: (places[name],)
            for each, names in self.columns.items()
            if (name := next((name for name in names if name in places), None)) is not None
        }
        for each, names in self.added.items():
            if found := tuple(places[name] for name in names if name in places):
                columns[each] = found
        labels = {
            label: places[name]
            for label, names in self.labels.items()
            if (name := next((name for name in names if name in places), None)) is not None
        }
        return ColumnMap(
            columns, self.fixed, labels, tuple(places[name] for name in self.identity if name in places)
        )


_OPENAI = {Field.PROVIDER: "openai"}
_ANTHROPIC = {Field.PROVIDER: "anthropic"}

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        Format.ANTHROPIC_USAGE,
        "Anthropic usage export",
        frozenset({"usage_date_utc", "usage_input_tokens_no_cache", "usage_output_tokens"}),
        {
            Field.TIME: ("usage_date_utc",),
            Field.MODEL: ("model_version", "model"),
            Field.CACHED: ("usage_input_tokens_cache_read",),
            Field.OUTPUT: ("usage_output_tokens",),
        },
        added={
            Field.TIER: ("usage_type", "context_window", "speed", "usage_input_tokens_cache_write_1h"),
            Field.INPUT: (
                "usage_input_tokens_no_cache",
                "usage_input_tokens_cache_write",
                "usage_input_tokens_cache_write_5m",
                "usage_input_tokens_cache_write_1h",
                "usage_input_tokens_cache_read",
            ),
            Field.CACHE_WRITE: (
                "usage_input_tokens_cache_write",
                "usage_input_tokens_cache_write_5m",
                "usage_input_tokens_cache_write_1h",
            ),
        },
        fixed=_ANTHROPIC,
        labels={"workspace": ("workspace",), "api_key": ("api_key",)},
        identity=(
            "usage_date_utc",
            "model_version",
            "model",
            "api_key",
            "workspace",
            "usage_type",
            "context_window",
            "inference_geo",
            "speed",
        ),
        summed=True,
        counted=False,
        day_by_day=True,
    ),
    Layout(
        Format.ANTHROPIC_COSTS,
        "Anthropic cost export",
        frozenset({"usage_date_utc", "token_type", "cost_usd"}),
        {
            Field.TIME: ("usage_date_utc",),
            Field.MODEL: ("model", "model_version"),
            Field.COST: ("cost_usd",),
        },
        fixed={**_ANTHROPIC, Field.CURRENCY: "USD"},
        labels={"workspace": ("workspace",), "api_key": ("api_key",), "token_type": ("token_type",)},
        identity=(
            "usage_date_utc",
            "model",
            "workspace",
            "api_key",
            "usage_type",
            "context_window",
            "token_type",
            "cost_type",
            "inference_geo",
            "speed",
        ),
        summed=True,
        counted=False,
        day_by_day=True,
    ),
    Layout(
        Format.OPENAI_COSTS,
        "OpenAI cost export",
        frozenset({"start_time", "end_time", "amount_value"}),
        {
            Field.TIME: ("start_time",),
            Field.END_TIME: ("end_time",),
            Field.MODEL: ("line_item",),
            Field.COST: ("amount_value",),
            Field.CURRENCY: ("amount_currency",),
        },
        fixed=_OPENAI,
        labels={"project": ("project_name", "project_id")},
        identity=(
            "start_time",
            "end_time",
            "line_item",
            "project_id",
            "user_id",
            "api_key_id",
            "organization_id",
        ),
        summed=True,
        counted=False,
        day_by_day=True,
    ),
    Layout(
        Format.OPENAI_USAGE,
        "OpenAI usage export",
        frozenset({"start_time", "end_time", "start_time_iso", "end_time_iso"}),
        {
            Field.TIME: ("start_time",),
            Field.END_TIME: ("end_time",),
            Field.MODEL: ("model",),
            Field.REQUESTS: ("num_model_requests",),
            Field.INPUT: ("input_tokens",),
            Field.CACHED: ("input_cached_tokens",),
            Field.INPUT_AUDIO: ("input_audio_tokens",),
            Field.OUTPUT: ("output_tokens",),
            Field.OUTPUT_AUDIO: ("output_audio_tokens",),
        },
        added={Field.TIER: ("batch", "service_tier")},
        fixed=_OPENAI,
        labels={"project": ("project_name", "project_id"), "api_key": ("api_key_name", "api_key_id")},
        identity=(
            "start_time",
            "end_time",
            "project_id",
            "user_id",
            "api_key_id",
            "model",
            "batch",
            "service_tier",
        ),
        summed=True,
        day_by_day=True,
    ),
    Layout(
        Format.OPENAI_ACTIVITY,
        "OpenAI activity export",
        frozenset({"n_requests", "n_context_tokens_total", "n_generated_tokens_total"}),
        {
            Field.TIME: ("timestamp", "aggregation_timestamp", "date", "usage_date"),
            Field.MODEL: ("model", "snapshot_id"),
            Field.REQUESTS: ("n_requests",),
            Field.INPUT: ("n_context_tokens_total",),
            Field.CACHED: ("n_cached_context_tokens_total",),
            Field.OUTPUT: ("n_generated_tokens_total",),
        },
        fixed=_OPENAI,
        labels={"user": ("user",), "project": ("project_name", "project_id", "project")},
        identity=(
            "timestamp",
            "aggregation_timestamp",
            "date",
            "usage_date",
            "organization_id",
            "project_id",
            "model",
            "snapshot_id",
            "operation",
            "usage_type",
            "user",
            "api_key_id",
        ),
        summed=True,
        day_by_day=True,
    ),
    Layout(
        Format.LITELLM,
        "LiteLLM spend log",
        frozenset({"request_id", "start_time", "spend", "prompt_tokens", "completion_tokens"}),
        {
            Field.ID: ("request_id",),
            Field.TIME: ("start_time",),
            Field.END_TIME: ("end_time",),
            Field.FIRST_TOKEN_TIME: ("completion_start_time",),
            Field.PROVIDER: ("custom_llm_provider",),
            Field.MODEL: ("model",),
            Field.INPUT: ("prompt_tokens",),
            Field.OUTPUT: ("completion_tokens",),
            Field.COST: ("spend",),
            Field.STATUS: ("status",),
            Field.CACHE_HIT: ("cache_hit",),
            Field.LABELS: ("request_tags",),
        },
        fixed={Field.CURRENCY: "USD"},
        labels={"user": ("user",), "team": ("team_id",)},
    ),
    Layout(
        Format.LANGFUSE,
        "Langfuse observations",
        frozenset({"id", "start_time", "type"}),
        {
            Field.ID: ("id",),
            Field.TIME: ("start_time",),
            Field.END_TIME: ("end_time",),
            Field.FIRST_TOKEN_TIME: ("completion_start_time",),
            Field.KIND: ("type",),
            Field.MODEL: ("provided_model_name", "model"),
            Field.USAGE_JSON: ("usage_details", "usage"),
            Field.INPUT: ("input_usage", "prompt_tokens"),
            Field.OUTPUT: ("output_usage", "completion_tokens"),
            Field.COST: ("total_cost", "calculated_total_cost"),
            Field.COST_JSON: ("cost_details",),
            Field.STATUS: ("level",),
            Field.PROMPT: ("prompt_name",),
            Field.LABELS: ("tags",),
        },
        known_by_one=frozenset(
            {
                "usage_details",
                "cost_details",
                "input_usage",
                "total_cost",
                "calculated_total_cost",
                "provided_model_name",
                "completion_start_time",
            }
        ),
        fixed={Field.CURRENCY: "USD"},
        labels={"environment": ("environment",), "user": ("user_id",), "trace": ("trace_name",)},
    ),
    Layout(
        Format.LANGFUSE_TRACES,
        "Langfuse traces",
        frozenset({"id", "timestamp"}),
        {
            Field.ID: ("id",),
            Field.TIME: ("timestamp",),
            Field.USAGE_JSON: ("usage_details", "usage"),
            Field.INPUT: ("prompt_tokens", "input_usage", "input_tokens"),
            Field.OUTPUT: ("completion_tokens", "output_usage", "output_tokens"),
            Field.COST: ("total_cost", "calculated_total_cost"),
            Field.COST_JSON: ("cost_details",),
            Field.LATENCY_S: ("latency",),
            Field.LABELS: ("tags",),
        },
        known_by_one=frozenset({"total_cost", "calculated_total_cost", "cost_details"}),
        fixed={Field.CURRENCY: "USD", Field.PROVIDER: "langfuse", Field.MODEL: "trace"},
        labels={"environment": ("environment",), "user": ("user_id",), "trace": ("name",)},
        summed=True,
        counted=False,
    ),
)

PLAIN_LAYOUT = Layout(Format.PLAIN, "the imported file", frozenset(), {}, summed=True, utc=False)


def layout_of(format_: Format) -> Layout:
    """The layout of a format; of `plain` the one that is matched by documented names."""
    return next((layout for layout in LAYOUTS if layout.format is format_), PLAIN_LAYOUT)


def detect(header: Sequence[str]) -> Layout | None:
    """The layout that these headers tell; None for none."""
    names = frozenset(places_of(header))
    for layout in LAYOUTS:
        # A trace and a plain table may both have an id and a timestamp; whoever names a model is no trace.
        if layout.fits(names) and not (layout.format is Format.LANGFUSE_TRACES and "model" in names):
            return layout
    plain = match_plain(header).columns
    return PLAIN_LAYOUT if Field.TIME in plain and (Field.MODEL in plain or len(plain) > 2) else None
