"""Ground floor: NumPy and the standard library. Knows no other room."""
