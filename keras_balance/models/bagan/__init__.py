"""BAGAN, from the class down to its parts.

`bagan` the model; `networks`, `latent` and `losses` what it is made of;
`optimizers` and `gradients` how it is trained.
"""
