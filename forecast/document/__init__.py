"""A forecast as plain HTML, readable without scripts, and its card for previews."""
