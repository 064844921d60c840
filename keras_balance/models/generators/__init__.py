"""Models that learn to draw images of a class."""
