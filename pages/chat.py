"""Chat: threads in the sidebar, the conversation in the middle, the answer as it is written."""

import streamlit as st

from core.chat.types import MessageStatus
from ui.components.answers import follow_answer
from ui.components.budget_notice import budget_notice
from ui.components.composer import composer, stop_bar
from ui.components.messages import show_message, show_notice
from ui.components.model_picker import model_picker
from ui.components.threads import opened_thread, thread_list
from ui.components.welcome import welcome
from ui.door import enter

viewer = enter()
thread = opened_thread(viewer)
with st.sidebar:
    thread_list(viewer, thread)

with st.container(key="chat-column"):
    choice = model_picker(viewer, thread)
    messages = viewer.services.chat.messages(viewer.account.id, thread.uuid) if thread else []
    if not messages:
        welcome(viewer)
    for position, message in enumerate(messages, start=1):
        if message.status is not MessageStatus.STREAMING:
            show_message(viewer, thread, message, last=position == len(messages))
    answering = bool(messages) and messages[-1].status is MessageStatus.STREAMING
    if thread and answering:
        follow_answer(viewer, thread, messages[-1])
    show_notice(viewer)
    budget_notice(viewer)

# At the root of the page, or the message box would not keep to the bottom and the page not scroll along.
if thread and answering:
    stop_bar(viewer, thread, messages[-1])
else:
    composer(viewer, choice)
