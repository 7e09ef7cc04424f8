"""OpenAI through the official SDK (chat completions)."""

import re

from core.providers.access import Access
from core.providers.openai_compatible import EMBEDDINGS, ChatCompletionsProvider
from core.providers.openai_wire import Dialect
from core.providers.types import TEXT_CHAT, Capability, ModelInfo, ProviderInfo

BASE_URL = "https://api.openai.com/v1"
KEY_SETTING = "OPENAI_API_KEY"
URL_SETTING = "OPENAI_BASE_URL"

# The newest chat models that both the SDK's ChatModel list and genai-prices know.
SUGGESTED_MODELS: tuple[ModelInfo, ...] = tuple(
    ModelInfo(name)
    for name in ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-luna", "gpt-5.5", "gpt-5.4-mini", "gpt-4.1")
)
# OpenAI lists everything it has; these do not chat, or not through chat completions. The gpt-audio models do:
# they are the ones that take sound.
_NOT_CHAT = re.compile(
    r"embedding|whisper|tts|transcribe|dall-e|image|sora|moderation|realtime|(?<!gpt-)audio|live|codex"
    r"|davinci|babbage|instruct|translate|computer-use|deep-research|-pro\b"
)

INFO = ProviderInfo(
    id="openai",
    label="OpenAI",
    capabilities=TEXT_CHAT
    | EMBEDDINGS
    | {
        Capability.IMAGES,
        Capability.DOCUMENTS,
        Capability.AUDIO,
        Capability.TOOLS,
        Capability.STRUCTURED_OUTPUT,
        Capability.REASONING_EFFORT,
    },
    suggested_models=SUGGESTED_MODELS,
    embedding_models=tuple(
        ModelInfo(name)
        for name in ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
    ),
)


class OpenAIProvider(ChatCompletionsProvider):
    """Streams answers of OpenAI's models. `timeout_seconds`: how long the server may stay silent.

    Its reasoning models refuse a temperature and penalties, and say so themselves.
    """

    # The reasoning models refuse the old name of the limit, which local servers know alone.
    dialect = Dialect(
        output_limit="max_completion_tokens",
        image_types=frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"}),
        top_k=False,
    )

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        timeout_seconds: float = 120,
        setting: str = KEY_SETTING,
        public_only: bool = False,
    ) -> None:
        """AppError when the key or the address cannot be right."""
        url = base_url or BASE_URL
        super().__init__(INFO, Access(api_key, url, setting, URL_SETTING, timeout_seconds, public_only))

    async def _list_models(self) -> tuple[ModelInfo, ...]:
        return tuple(model for model in await super()._list_models() if not _NOT_CHAT.search(model.id))
