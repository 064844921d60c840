"""DAGAN: the model, its networks, losses and steps."""
