"""What fills the shortfall of a class, and wrappers of what generates images."""
