"""Spares a call of the page what gradio and FastAPI do for pages of other kinds.

Together these took a fifth of the server's time for a call of ``/forecast``.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

CALLS = re.compile(r"/gradio_api/(call|queue)/")
LOGIN_CHECK = "/gradio_api/login_check"
PLOTTING = "matplotlib"


def take_shortcuts(app: FastAPI) -> None:
    """Change a page that is served, and whose visitors have no accounts."""
    _miss_at_once(PLOTTING)
    [included] = [route for route in app.router.routes if hasattr(route, "original_router")]
    _let_in(app, included.original_router)
    _put_first(app.router, lambda route: route is included)
    _put_first(included.original_router, lambda route: CALLS.match(route.path))


def _miss_at_once(module: str) -> None:
    """Let Python know that a module is not installed.

    gradio imports it around each call; Python would look for it in every folder.
    """
    if module not in sys.modules and importlib.util.find_spec(module) is None:
        sys.modules[module] = None  # type: ignore[assignment] # the import system's own sign


def _let_in(app: FastAPI, router: Any) -> None:
    """Check no login in a thread of its own: there is none, and FastAPI waits for the thread."""
    [check] = {route.endpoint for route in router.routes if route.path == LOGIN_CHECK}

    async def let_in() -> None:
        pass

    app.dependency_overrides[check] = let_in


def _put_first(router: Any, wanted: Any) -> None:
    """Move routes before the others: FastAPI tries one after the other, and twice.

    In a new list, as the server may be looking through the old one.
    """
    router.routes = sorted(router.routes, key=lambda route: not wanted(route))
    router._mark_routes_changed()  # noqa: SLF001 - else it keeps the order that it has seen
