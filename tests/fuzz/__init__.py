"""Any input gives a valid result or one of our own errors, never another exception."""
