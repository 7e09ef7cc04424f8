"""Chat: threads in the sidebar, the conversation in the middle, the answer as it is written."""

import streamlit as st

from core.chat.types import MessageStatus
from ui.components.answers import follow_answer
from ui.components.composer import composer, stop_button
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
    show_notice(viewer)
    if thread and messages and messages[-1].status is MessageStatus.STREAMING:
        stop_button(viewer, thread)
        follow_answer(viewer, messages[-1])
    else:
        composer(viewer, thread, choice)
