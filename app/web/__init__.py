"""HTTP endpoints besides the page itself."""
