"""The page: python app/app.py."""
