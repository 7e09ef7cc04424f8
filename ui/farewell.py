"""What a page is told when its session has ended while it was open."""

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


def _load_anew() -> bytes:
    """The message with which Streamlit's own sign-in sends a browser elsewhere; an empty address is the page's own.

    Whoever is still signed out is then led to signing in and back, and whoever has signed in again sees the page.
    """
    message = ForwardMsg()
    message.auth_redirect.SetInParent()
    return message.SerializeToString()


FAREWELL = _load_anew()
