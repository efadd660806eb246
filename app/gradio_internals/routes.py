"""Which of gradio's routes the page, its endpoints and MCP need.

gradio serves many more: uploads, a proxy, files, monitoring.
"""

import re

NAME = r"[\w.%()+-]+"
READ, CALL = frozenset({"GET", "HEAD"}), frozenset({"POST"})
# Methods, and a pattern of the whole path.
ROUTES = (
    (READ, r"/"),
    (READ, r"/(config|theme\.css|favicon\.ico|robots\.txt|manifest\.json)/?"),
    (READ, rf"/(assets|static)(/(?!\.){NAME})+"),
    # The page asks for app_id every two seconds after it has lost the connection, and reloads
    # itself on an answer.
    (READ, r"/gradio_api/(app_id|info|openapi\.json|startup-events)/?"),
    (READ, r"/gradio_api/queue/data"),
    (READ, rf"/gradio_api/call/(v2/)?{NAME}/{NAME}"),
    (CALL, rf"/gradio_api/call/(v2/)?{NAME}"),
    (CALL, r"/gradio_api/(queue/join|cancel|reset)"),
    (READ | CALL, r"/gradio_api/mcp/?"),
    (READ, r"/gradio_api/mcp/schema"),
)
# Calls whose results wait in the queue.
QUEUED = re.compile(r"/gradio_api/(queue/join|call/.+)")
