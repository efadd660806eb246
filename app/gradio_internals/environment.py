"""Environment variables that gradio reads when it is imported and when it serves."""

DEFAULTS = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # else the server calls gradio's makers when it starts
    # After each call gradio summarises the last 10,000 in a table that is not used here.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_MAX_EVENTS": "100",
}
