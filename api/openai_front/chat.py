"""/v1/chat/completions: every configured provider behind OpenAI's protocol."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from api.identity import BEARER, bearer_of, services
from api.openai_front.answer_schemas import ERRORS, ChatCompletion
from api.openai_front.answers import Reply, failure_of
from api.openai_front.chat_request import understood
from api.openai_front.chat_schemas import ChatRequest
from api.openai_front.chat_stream import ChatStream, awaited
from api.openai_front.model_names import resolve
from api.openai_front.request_body import described, read
from core.accounts.types import Scope
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.types import Capability, CompletionRequest, ProviderInfo
from core.usage.types import Source

router = APIRouter(prefix="/v1", tags=["openai"], responses=ERRORS)

_STREAMED: dict[str, Any] = {
    "description": "With `stream`: chunks as server-sent events.",
    "content": {"text/event-stream": {}},
}


@router.post(
    "/chat/completions",
    response_model=ChatCompletion,
    responses={200: _STREAMED},
    openapi_extra={**described(ChatRequest), **BEARER},
)
async def create_chat_completion(request: Request) -> Response:
    """Answer a conversation, whole or as a stream. The model is `provider/model`, or a name that one provider has."""
    hub = services()
    # Dependencies would take as long as the rest of this route, and this one is asked most.
    caller = await bearer_of(request, hub)
    caller.require(Scope.CHAT)
    # The body is read here and not by the framework: once, from its bytes, and only for those who may ask.
    asked, completion = await read(request, understood)
    user_id = caller.account.id
    model = await resolve(hub, user_id, asked.model)
    _check_addresses(hub.registry.info(model.provider), completion)
    completion = replace(completion, model=model.model)
    generation = await hub.models.complete_on_loop(user_id, model.provider, completion, Source.API)
    reply = Reply(generation.request.request_id, asked.model, usage_wanted=asked.wants_usage)
    if asked.stream:
        return ChatStream(hub.generation, generation, reply)
    outcome = await awaited(request.receive, hub.generation, generation)
    failure = failure_of(outcome)
    if failure is not None:
        raise failure
    return Response(reply.whole(outcome), media_type="application/json")


def _check_addresses(info: ProviderInfo, completion: CompletionRequest) -> None:
    """AppError(VALIDATION) for a picture by its address where the provider fetches none: AIHub never does."""
    if Capability.FILE_URIS in info.capabilities:
        return
    for message in completion.messages:
        if any(attachment.data is None for attachment in message.attachments):
            raise AppError(
                ErrorKind.VALIDATION,
                N_(
                    "{provider} fetches no pictures from an address. Send it as a data URL: data:image/png;base64,…."
                ),
                provider=info.label,
                param="messages",
            )
