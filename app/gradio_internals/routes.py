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
    (CALL, r"/gradio_api/mcp/?"),  # a stream by GET carries nothing: no tool sends a notice
    (READ, r"/gradio_api/mcp/schema"),
)
MCP = re.compile(r"/gradio_api/mcp(/.*)?")  # gradio answers it by calls over loopback
# Streams of results: of a page's session, or of one call by its event.
SESSION = "/gradio_api/queue/data"
RESULT = re.compile(rf"/gradio_api/call/(v2/)?{NAME}/(?P<event>{NAME})")
# Calls whose results wait in the queue.
QUEUED = re.compile(r"/gradio_api/(queue/join|call/(?P<by_name>v2/)?(?P<endpoint>[^/]+))")
