"""BAGAN, from the class down to its parts.

`bagan` the model; `networks`, `latent` and `losses` what it is made of; `feeding`,
`steps`, `gradients`, `optimizers`, `phases` and `selection` how it is trained;
`drawing` what it draws, `files` how it is kept; `published` the original.
"""
