"""What all other subpackages share, of NumPy and the standard library alone."""
