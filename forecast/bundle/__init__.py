"""What a training run publishes: its files, how they are written, how they are checked."""
