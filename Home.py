"""The front door: `python Home.py`, `streamlit run Home.py`, or `uvicorn Home:app`.

Imported by a server it is the application (pages and API on one port); run by Streamlit for a
browser it draws the navigation and the page.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    from api.server import lifespan, middleware, refuse_to_serve_openly, serve
    from ui.failures import show_failure
    from ui.farewell import FAREWELL
    from ui.navigation import own_navigation

    own_navigation()
    app = st.App(__file__, middleware=middleware(FAREWELL), lifespan=lifespan, on_script_error=show_failure)
    if __name__ == "__main__":
        serve(app)
    else:
        refuse_to_serve_openly(st.get_option("server.address"))
else:
    from ui.navigation import navigate

    navigate()
