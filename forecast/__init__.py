"""The domain, shared by the weekly job (trainer) and the page (app); imports neither."""
