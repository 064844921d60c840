"""What a batch goes through in a step, on every backend: augmented, mixed, judged."""

from keras import ops

from study.feeds import SIDE


def augmented(batch, augmentations, taken):
    """Each image through one of the augmentations, or none, as the feed has drawn."""
    choice = taken["layer"][:, None, None, None]
    found = batch
    for place, layer in enumerate(augmentations):
        # Of two layers behind each other, each draws its own.
        number = len(layer.non_trainable_variables)
        seeds = [taken["seed"] + place + 97 * n for n in range(number)]
        one, _ = layer.stateless_call([], seeds, batch, training=True)
        found = ops.where(choice == place, one, found)
    return found


def mixed(batch, targets, taken):
    """Blend a box of the partner into each image: MixUp's box is the whole image."""
    top, left, bottom, right = (taken["box"][:, n, None] for n in range(4))
    line = ops.arange(SIDE, dtype=taken["box"].dtype)
    rows = ops.logical_and(top <= line, line < bottom)
    columns = ops.logical_and(left <= line, line < right)
    inside = ops.logical_and(rows[:, :, None], columns[:, None, :])
    opacity = taken["opacity"][:, None, None, None]
    cover = ops.cast(inside, opacity.dtype)[..., None] * opacity
    batch = batch + cover * (ops.take(batch, taken["partner"], axis=0) - batch)
    share = taken["share"][:, None]
    partners = ops.take(targets, taken["partner"], axis=0)
    return batch, share * targets + (1 - share) * partners


def adjusted_loss(logits, targets, recipe):
    """`kb.losses.LogitAdjustedCrossentropy`, focal and weighted where it is asked.

    The same numbers (tests/examples/study/test_steps.py); here the counts may be
    traced, so that other counts need no other program.
    """
    shifted = ops.cast(logits, "float32") + recipe["offset"]
    log_shares = ops.log_softmax(shifted, axis=-1)
    # At a share of 1 the power's slope is infinite for some gamma, and lost below.
    missed = ops.maximum(1 - ops.exp(log_shares), 1e-6)
    losses = -log_shares * missed ** recipe["gamma"]
    return ops.mean(ops.sum(targets * recipe["class_weights"] * losses, axis=-1))
