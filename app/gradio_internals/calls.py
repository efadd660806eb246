"""Calls that gradio would answer with a traceback in the log."""

from __future__ import annotations

from typing import Any

NO_ENDPOINT = "there is no endpoint of this name", 404
NO_EVENT = "expected the fn_index of one of the page's events", 400
IGNORED = frozenset({"oauth_token"})  # gradio drops it
LONGEST = 80  # characters of what came


def fault_of_call(
    app: Any, endpoint: str | None, body: object, *, by_name: bool
) -> tuple[str, int] | None:
    """What is wrong with a call, and the HTTP status; None if nothing is.

    Args:
        app: gradio's ASGI application.
        endpoint: its name; None for an event of the page, which the body numbers.
        body: as JSON.
        by_name: whether the body has the arguments by name, as those of ``/call/v2/`` do.
    """
    blocks = app.get_blocks()
    fields = body if isinstance(body, dict) else {}
    if endpoint is not None and by_name:
        info = blocks.get_api_info()["named_endpoints"].get(f"/{endpoint}")
        return _fault_of_names(info["parameters"], body) if info else NO_ENDPOINT
    if endpoint is not None:
        named = (each for each in blocks.fns.values() if each.api_name == endpoint)
        function, none = next(named, None), NO_ENDPOINT
    else:
        number = fields.get("fn_index")
        function, none = blocks.fns.get(number) if type(number) is int else None, NO_EVENT
    if function is None:
        return none
    data, needed = fields.get("data"), sum(not each.skip_api for each in function.inputs)
    if isinstance(data, list) and len(data) < needed:
        return f"expected {needed} values in data, one for each argument; got {len(data)}", 400
    return None


def _fault_of_names(parameters: list[dict[str, Any]], body: object) -> tuple[str, int] | None:
    """What is wrong with arguments by name; gradio itself refuses what is no object."""
    if not isinstance(body, dict):
        return None
    optional = {each["parameter_name"]: each["parameter_has_default"] for each in parameters}
    missing = [
        name for name, is_optional in optional.items() if not is_optional and name not in body
    ]
    if not missing and body.keys() <= optional.keys() | IGNORED:
        return None
    wanted = [f"{name} (optional)" if optional[name] else name for name in optional]
    given = ", ".join(map(repr, body))[:LONGEST]
    fields = ", ".join(wanted) or "no fields"
    return f"expected a JSON object with {fields}; got {given or 'no fields'}", 400
