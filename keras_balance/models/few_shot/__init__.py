"""A pretrained network and a dozen images."""
