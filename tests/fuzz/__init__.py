"""Any input gives something sound or a refusal of our own, never another exception."""
