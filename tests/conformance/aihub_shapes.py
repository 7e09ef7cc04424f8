"""The shapes of AIHub's documented answers: fields, types, spelling. The values stand for any of their kind."""

from typing import Any

MOMENT = "2024-03-16T10:30:45.123456"

TOKEN = {"access_token": "a.b.c", "token_type": "bearer"}
USER = {
    "id": 1,
    "email": "user@example.com",
    "username": "johndoe",
    "is_active": True,
    "created_at": MOMENT,
}
KEY = {
    "id": 1,
    "user_id": 1,
    "provider": "openai",
    "api_key": "sk-ABC1234****XYZ",
    "name": "OpenAI Key",
    "is_active": True,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
CATEGORY = {
    "id": 3,
    "user_id": 1,
    "name": "Data",
    "description": "What belongs here",
    "color": "#0000FF",
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
THREAD: dict[str, Any] = {
    "id": 53,
    "uuid": "0b5c",
    "user_id": 1,
    "title": "A title",
    "provider": "openai",
    "model": "gpt-4o",
    "category_id": 3,
    "is_pinned": False,
    "is_archived": False,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "last_message_at": MOMENT,
    "message_count": 2,
    "category": CATEGORY,
}
STORED = {
    "id": 105,
    "thread_id": 53,
    "role": "user",
    "content": "A text",
    "tokens": None,
    "model": None,
    "provider": None,
    "meta_data": {},
    "created_at": MOMENT,
}
TOKENS = {"prompt_tokens": 45, "completion_tokens": 262, "total_tokens": 307}
ANSWERED = {
    **STORED,
    "role": "assistant",
    "tokens": 262,
    "model": "gpt-4o",
    "provider": "openai",
    "meta_data": {"tokens": TOKENS, "cost": 0.00786, "with_context": True},
}
PROMPT = {
    "id": 42,
    "user_id": 1,
    "title": "A title",
    "content": "Five ideas about {topic}",
    "description": "What it is for",
    "category_id": 5,
    "is_favorite": False,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "category": {"id": 5, "name": "A shelf", "color": "#FF5733"},
}
MODEL = {
    "provider": "openai",
    "id": "gpt-4",
    "name": "GPT-4",
    "pricing": {},
    "capabilities": [],
}
PREFERENCE = {
    "id": 15,
    "user_id": 1,
    "provider": "openai",
    "model": "gpt-4",
    "max_tokens": 1500,
    "temperature": 0.8,
    "system_prompt": "You are an analyst",
    "is_default": False,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
USAGE = {
    "start_date": "2024-02-16",
    "end_date": "2024-03-16",
    "total_requests": 235,
    "total_tokens": 126758,
    "total_cost": 3.85,
    "daily_usage": [{"date": "2024-02-16", "requests": 15, "tokens": 8432, "cost": 0.25}],
    "model_usage": [{"provider": "openai", "model": "gpt-4", "requests": 120, "tokens": 75432, "cost": 2.45}],
    "provider_summary": [
        {"provider": "openai", "requests": 150, "tokens": 85432, "cost": 2.65, "models_count": 2}
    ],
}
_SUMS = {"requests": 95, "tokens": 51247, "cost": 1.87}
SUMMARY = {
    "current_month": {"start_date": "2024-03-01", "end_date": "2024-03-16", **_SUMS},
    "last_30_days": {"start_date": "2024-02-15", "end_date": "2024-03-16", **_SUMS},
    "all_time": _SUMS,
    "savings": {"vs_subscription": 18.13, "subscription_cost": 20.0},
}
COMPLETION = {
    "text": "A verse",
    "model": "gpt-4o",
    "provider": "openai",
    "tokens": TOKENS,
    "cost": 0.00786,
    "from_cache": False,
}
COUNT = {"token_count": 12, "estimated": False}
ERROR = {"error": True, "error_message": "A sentence", "error_type": "not_found"}
