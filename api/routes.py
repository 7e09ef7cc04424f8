"""The routes of every surface, in the order in which they are tried."""

from api import metrics, reference, service, sign_in_pages, web, websocket
from api.aihub import (
    api_keys,
    auth,
    categories,
    completion,
    members,
    messages,
    models,
    personal_data,
    prompts,
    sessions,
    statistics,
    streams,
    threads,
    tokens,
    users,
)
from api.gemini_app import ajax, texts
from api.gemini_app import messages as chat_messages
from api.gemini_app import sessions as chat_sessions
from api.openai_front import chat, embeddings
from api.openai_front import models as model_list

_SERVICE = (service, metrics, web, reference, sign_in_pages)
# After /api/users/me, which is no number, come the accounts by theirs.
_ACCOUNTS = (auth, sessions, users, personal_data, members, tokens, api_keys)
# Fixed paths stand before a thread's name.
_CONVERSATIONS = (completion, streams, threads, messages, websocket)
_LIBRARY = (categories, prompts, models, statistics)
_GEMINI_APP = (chat_sessions, chat_messages, texts, ajax)
_OPENAI = (chat, embeddings, model_list)

ROUTERS = tuple(
    module.router
    # The first are found soonest, and the programs that ask models here ask most often.
    for module in (*_OPENAI, *_SERVICE, *_ACCOUNTS, *_CONVERSATIONS, *_LIBRARY, *_GEMINI_APP)
)
