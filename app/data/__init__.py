"""What the page knows: bundle, forecasts, live counts, limits."""
