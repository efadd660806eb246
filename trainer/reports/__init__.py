"""What a run publishes for people: summary, pictures, track record."""
