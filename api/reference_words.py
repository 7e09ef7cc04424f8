"""The reference's own words, in the reader's language; what the document says stays as it is."""

from core.i18n import N_, translate

_WORDS = {
    "title": N_("API reference"),
    "intro": N_(
        "Three surfaces share accounts, conversations and figures. Everything below is answered by this hub, and the "
        "page asks no other host for anything."
    ),
    "aihub": N_("AIHub’s own, with a token of signing in or a personal one."),
    "gemini": N_("Chat sessions as the Gemini app knows them, with a session id or its cookie."),
    "openai": N_("For any client of OpenAI: this hub as its base URL, a personal token as its key."),
    "socket": N_("The same conversations over a WebSocket."),
    "conventions": N_(
        "Paths answer with and without a trailing slash. Every answer carries X-Request-ID. Error texts follow "
        "Accept-Language. Lists answer with an ETag; sent back in If-None-Match, what has not changed is a 304."
    ),
    "download": N_("OpenAPI document"),
    "filter": N_("Filter by path or word"),
    "contents": N_("Contents"),
    "nothing": N_("No operation matches."),
    "credentials": N_("Authorization for trying out"),
    "credentials_hint": N_("Kept in this tab until it is reloaded, sent to this hub only."),
    "parameters": N_("Parameters"),
    "body": N_("Body"),
    "answer": N_("Answer"),
    "errors": N_("Errors"),
    "example": N_("Example"),
    "required": N_("required"),
    "field": N_("Field"),
    "type": N_("Type"),
    "meaning": N_("Meaning"),
    "empty": N_("No content"),
    "copy_text": N_("Copy"),
    "copied": N_("Copied"),
    "try": N_("Try it"),
    "send": N_("Send"),
    "sending": N_("Sending …"),
    "failed": N_("The hub did not answer."),
    "public": N_("No sign-in needed"),
    "link": N_("Link to this operation"),
    "to_hub": N_("Open AIHub"),
}


def words(language: str) -> dict[str, str]:
    """Every word of the page by its name."""
    return {name: translate(language, text) for name, text in _WORDS.items()}
