"""Exports of other tools, made on the spot with the headers that those tools write."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def _names(text: str) -> list[str]:
    return text.split()


ANTHROPIC_USAGE = _names(
    """
    usage_date_utc model_version api_key workspace usage_type context_window
    usage_input_tokens_no_cache usage_input_tokens_cache_write_5m usage_input_tokens_cache_write_1h
    usage_input_tokens_cache_read usage_output_tokens web_search_count inference_geo speed
    """
)
ANTHROPIC_COSTS = _names(
    """
    usage_date_utc model workspace api_key usage_type context_window token_type cost_usd
    list_price_usd cost_type inference_geo speed
    """
)
OPENAI_USAGE = _names(
    """
    start_time end_time start_time_iso end_time_iso project_id num_model_requests user_id api_key_id
    model batch service_tier input_tokens output_tokens input_cached_tokens input_uncached_tokens
    input_audio_tokens output_audio_tokens
    """
)
OPENAI_COSTS = _names(
    """
    start_time end_time start_time_iso end_time_iso amount_value amount_currency line_item
    project_id project_name
    """
)
OPENAI_ACTIVITY = _names(
    """
    organization_id n_requests operation n_context_tokens_total n_generated_tokens_total usage_type
    model timestamp user
    """
)
LITELLM = _names(
    """
    request_id call_type api_key spend total_tokens prompt_tokens completion_tokens startTime
    endTime completionStartTime model custom_llm_provider user cache_hit request_tags team_id status
    """
)
LANGFUSE = _names(
    """
    id traceId type startTime endTime completionStartTime model inputUsage outputUsage totalUsage
    usageDetails costDetails totalCost level promptName environment
    """
)


def csv_text(header: Sequence[str], *rows: dict[str, Any], separator: str = ",") -> str:
    """A CSV with a row for each of `rows`, empty where one says nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def plain(*rows: str, header: str = "time,provider,model,input_tokens,output_tokens,cost") -> str:
    """A plain table from lines."""
    return "\n".join((header, *rows, ""))


def saved(folder: Path, content: str | bytes, name: str = "usage.csv", encoding: str = "utf-8") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def json_lines(*rows: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def openai_day(**changes: Any) -> dict[str, Any]:
    """A day of one model in OpenAI's usage export."""
    day = 1_761_523_200  # 2025-10-27
    row: dict[str, Any] = {
        "start_time": day,
        "end_time": day + 86_400,
        "start_time_iso": "2025-10-27T00:00:00+00:00",
        "end_time_iso": "2025-10-28T00:00:00+00:00",
        "project_id": "proj_1",
        "num_model_requests": "3.0",
        "model": "gpt-4o-2024-08-06",
        "batch": "False",
        "service_tier": "default",
        "input_tokens": 3000,
        "output_tokens": 500,
        "input_cached_tokens": 1000,
    }
    return {**row, **changes}


def anthropic_day(**changes: Any) -> dict[str, Any]:
    """A day of one model and key in Anthropic's usage export."""
    row: dict[str, Any] = {
        "usage_date_utc": "2025-10-27",
        "model_version": "claude-sonnet-4-20250514",
        "api_key": "team",
        "workspace": "Default",
        "usage_type": "standard",
        "context_window": "≤ 200k",
        "usage_input_tokens_no_cache": 1000,
        "usage_input_tokens_cache_write_5m": 200,
        "usage_input_tokens_cache_write_1h": 0,
        "usage_input_tokens_cache_read": 300,
        "usage_output_tokens": 400,
    }
    return {**row, **changes}


def litellm_call(**changes: Any) -> dict[str, Any]:
    """A call in LiteLLM's spend log."""
    row: dict[str, Any] = {
        "request_id": "chatcmpl-1",
        "call_type": "acompletion",
        "spend": "0.00012349999999999999",
        "total_tokens": 15,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "startTime": "2025-10-27 10:00:00.000",
        "endTime": "2025-10-27 10:00:02.500",
        "completionStartTime": "2025-10-27 10:00:00.400",
        "model": "openai/gpt-4o",
        "custom_llm_provider": "openai",
        "user": "ann",
        "cache_hit": "False",
        "request_tags": '["prod", "team:blue"]',
        "status": "success",
    }
    return {**row, **changes}


def langfuse_call(**changes: Any) -> dict[str, Any]:
    """A generation in Langfuse's export of observations."""
    row: dict[str, Any] = {
        "id": "obs-1",
        "traceId": "trace-1",
        "type": "GENERATION",
        "startTime": "2025-10-27T10:00:00.000Z",
        "endTime": "2025-10-27T10:00:01.500Z",
        "completionStartTime": "2025-10-27T10:00:00.250Z",
        "model": "claude-sonnet-4-20250514",
        "usageDetails": '{"input": 70, "input_cached_tokens": 30, "output": 50, "total": 150}',
        "costDetails": '{"input": 0.0003, "output": 0.00075, "total": 0.00105}',
        "totalCost": "0.00105",
        "level": "DEFAULT",
        "promptName": "summary",
        "environment": "production",
    }
    return {**row, **changes}
