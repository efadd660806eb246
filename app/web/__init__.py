"""What the page answers over HTTP besides the page itself."""
