"""BAGAN: the model, its networks, losses and steps, and the published original."""
