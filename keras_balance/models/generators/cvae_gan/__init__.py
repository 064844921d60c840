"""CVAE-GAN: the model, its networks, losses and steps."""
