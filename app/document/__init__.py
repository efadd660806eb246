"""The page as plain HTML, readable before any script has run, and its card for previews."""
