"""The chapters of the reference, in their order. A path decides which one it stands in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """A chapter: the paths that match `paths` stand in it."""

    name: str
    description: str
    paths: str


TAGS = (
    Tag(
        "Sign-in",
        "Signing in and out. The answer's token goes into the `Authorization` header, after `Bearer`.",
        "/api/auth(?!/sessions)",
    ),
    Tag("Users", "Signing up, and one's own account.", "/api/users"),
    Tag("Sessions", "Where one is signed in.", "/api/auth/sessions"),
    Tag("Personal tokens", "Tokens for programs, shown once, with scopes and an end.", "/api/tokens"),
    Tag(
        "Provider keys",
        "One's own keys for providers. They are encrypted, and only ever shown masked.",
        "/api/api-keys",
    ),
    Tag(
        "Answers",
        "Asking a model: in a thread or outside of one, at once or as a stream of server-sent events.",
        r"/api/threads/(completion|token-count|stream|\{\w+\}/(stream|send|messages/send))",
    ),
    Tag("Threads", "Conversations and their messages.", "/api/threads"),
    Tag("Categories", "The shelves that threads and prompts lie on.", "/api/categories"),
    Tag("Prompts", "The prompt library.", "/api/prompts"),
    Tag("Models", "Which models can be asked, and how one prefers to ask them.", "/api/models"),
    Tag("Statistics", "What was used, and what it cost.", "/api/statistics"),
    Tag("Gemini app", "Chat sessions and messages, as the Gemini app asks for them.", "/api/v1/gemini"),
    Tag("Gemini app: pages", "What the Gemini app's own pages ask for.", "/gemini"),
    Tag(
        "OpenAI-compatible", "For any client that speaks to OpenAI: its base URL is this hub's `/v1`.", "/v1"
    ),
    Tag("Service", "For whoever runs the hub.", "/api/health|/metrics"),
)
_PATHS = tuple((re.compile(rf"({tag.paths})(/|$)"), tag.name) for tag in TAGS)


def tag_of(path: str, own: Sequence[str]) -> str:
    """The chapter of a path; one that no chapter claims keeps the first tag of its router."""
    found = next((name for pattern, name in _PATHS if pattern.match(path)), None)
    return found or (own[0] if own else "Service")
