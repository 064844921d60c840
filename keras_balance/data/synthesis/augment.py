"""Images through a Keras layer, as a function of a seed and of nothing else."""

import contextlib
import functools
import warnings

import keras
import numpy as np

from keras_balance.layers.base import ImageLayer
from keras_balance.layers.draws import SeedsOfBatches
from keras_balance.utils.images import check_finite, to_layout
from keras_balance.utils.seeds import derive_seed, seeded

# Numbers in the images that go through a layer together: 8 MiB as float32.
_AT_ONCE = 2**21
_FAR = 4  # times the length of a range of pixels
_SCALING = (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.Lambda)


def augment(layer, images, seed, data_format=None):
    """`layer(images, training=True)` with the layer's randomness set by `seed`.

    The layer itself is not changed: its seed generators start from values that hold
    in this call alone. Whatever draws from Keras' seed generators, as all of Keras'
    own layers do, is a pure function of `images` and `seed`. It computes in float32,
    whatever the policy of mixed precision, and gets the images in its own layout.

    Args:
        layer: Keras layer.
        images: Images `(n, height, width, channels)`, or channels first.
        seed: Integer.
        data_format: Layout of the images; None for that of the layer.

    Returns:
        float32 array of the shape of `images`.

    Raises:
        ValueError: When the layer returns another shape, or pixels that are NaN or
            infinite, or when its parts want different layouts.
    """
    return augment_batches(layer, [images], [seed], data_format)


def augment_batches(layer, batches, seeds, data_format=None):
    """`augment` of each batch by its own seed, one behind the other.

    Small batches take an eager layer nearly as long as large ones: where it is one of
    this package, they go through it together, with what each draws alone.

    Args:
        layer: Keras layer.
        batches: Sequence of images.
        seeds: Sequence of integers, one a batch.
        data_format: Layout of the images; None for that of the layer.

    Returns:
        float32 array of the images of all batches.

    Raises:
        ValueError: As `augment` does.
    """
    sizes = [len(batch) for batch in batches]
    images = _joined([np.asarray(batch, "float32") for batch in batches])
    layout = layout_of(layer)
    data_format = data_format or layout
    with _in_float32(layer):
        augmented = _call(layer, to_layout(images, data_format, layout), sizes, seeds)
    augmented = to_layout(augmented, layout, data_format)
    if augmented.shape != images.shape:
        raise ValueError(
            "An augmentation layer must keep the shape of the images, "
            f"{images.shape}. Received: images of shape {augmented.shape}"
        )
    check_finite(augmented, name=f"{layer.name}(images)")
    return augmented


def layout_of(layer):
    """`data_format` of a layer and of all in it; Keras' own where it has none.

    Raises:
        ValueError: When there are two.
    """
    found = {getattr(part, "data_format", None) for part in _parts(layer)} - {None}
    if len(found) > 1:
        raise ValueError(
            "All parts of an augmentation layer must have one `data_format`. "
            f"Received: layer={layer.name!r} with {sorted(found)}"
        )
    return found.pop() if found else keras.config.image_data_format()


def warn_of_range(layer, images):
    """Warn of a layer for pixels of a far wider or narrower range than the images'.

    Args:
        layer: Keras layer.
        images: `LabelledImages`.
    """
    parts = _parts(layer)
    if any(isinstance(part, _SCALING) for part in parts):
        return  # in between pixels may have any
    for part in parts:
        warn_of_own_range(part, "A layer that augments images", images)


def warn_of_own_range(part, what, images):
    """Warn of a `value_range` that is far wider or narrower than the images'."""
    own = getattr(part, "value_range", None)
    if own is None:
        return
    low, high = map(float, images.value_range)  # which may take a look at all of them
    if high <= low:
        return
    if not 1 / _FAR < (float(own[1]) - float(own[0])) / (high - low) < _FAR:
        warnings.warn(
            f"{what} must have their range for its `value_range`. Received: "
            f"{getattr(part, 'name', part)!r} with value_range={tuple(own)} for images "
            f"in [{low:g}, {high:g}]",
            stacklevel=3,
        )


def _call(layer, images, sizes, seeds):
    if not layer.built:
        # What it draws in this call is not to move its own seeds on.
        with seeded(seeds[0]), keras.StatelessScope():
            layer(images[:1], training=True)
    parts = layer.layers if type(layer) is keras.Sequential else [layer]
    places = _own_places(layer, parts)
    if len(sizes) == 1 or not places:
        return _one_by_one(layer, layer, images, sizes, seeds)
    for part in parts:
        if id(part) not in places:
            images = _one_by_one(layer, part, images, sizes, seeds)
            continue
        own = [derive_seed(seed, places[id(part)]) for seed in seeds]
        drawn_by = SeedsOfBatches(sizes, own, part.generator.state.dtype)
        images = part.in_parts(images, _AT_ONCE, drawn_by)
    return images


def _one_by_one(layer, part, images, sizes, seeds):
    """Pass batches through a part of a layer, each by its own seed."""
    variables = _seed_variables(layer)
    done = []
    for stop, size, seed in zip(np.cumsum(sizes), sizes, seeds, strict=True):
        states = [
            np.array([derive_seed(seed, place), 0], dtype=variable.dtype)
            for place, variable in enumerate(variables)
        ]
        states = map(keras.ops.convert_to_tensor, states)
        mapping = list(zip(variables, states, strict=True))
        scope = keras.StatelessScope(state_mapping=mapping)
        # `AugMix` draws from Python's own generator, too.
        with scope, seeded(derive_seed(seed, len(variables))):
            done.append(_through(part, images[stop - size : stop]))
    return _joined(done)


def _joined(arrays):
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _own_places(layer, parts):
    """Places of the seeds of those parts that take several batches, by `id`.

    None where parts share a seed: the second would go on where the first stopped.
    """
    variables = [id(variable) for variable in _seed_variables(layer)]
    if sum(len(_seed_variables(part)) for part in parts) != len(variables):
        return {}
    return {
        id(part): variables.index(id(part.generator.state))
        for part in parts
        if _is_own(part)
    }


def _seed_variables(layer):
    return [v for v in layer.variables if v.name == "seed_generator_state"]


def _is_own(layer):
    return isinstance(layer, ImageLayer) and type(layer).call is ImageLayer.call


def _through(layer, images):
    """`layer(images, training=True)` as a float32 NumPy array.

    Without a compiler, every operation on the way keeps an array of the images, a dozen
    in a row: large pictures go in parts where they come out the same.
    """
    if images.size > _AT_ONCE:
        if type(layer) is keras.Sequential:
            return functools.reduce(
                lambda x, part: _through(part, x), layer.layers, images
            )
        if _is_own(layer):
            return layer.in_parts(images, _AT_ONCE)
    augmented = keras.ops.cast(layer(images, training=True), "float32")
    return keras.ops.convert_to_numpy(augmented)


@contextlib.contextmanager
def _in_float32(layer):
    """Have a layer and all in it compute in float32 for a while."""
    lower = [part for part in _parts(layer) if _is_lower(part.compute_dtype)]
    policies = [part.dtype_policy for part in lower]
    try:
        for part in lower:
            part.dtype_policy = "float32"
        yield
    finally:
        for part, policy in zip(lower, policies, strict=True):
            part.dtype_policy = policy


def _is_lower(dtype):
    return dtype in ("float16", "bfloat16")


def _parts(layer, seen=None):
    """Give a layer and all layers in it, each once."""
    seen = {} if seen is None else seen
    if id(layer) not in seen:
        seen[id(layer)] = layer
        for value in vars(layer).values():
            for part in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(part, keras.layers.Layer):
                    _parts(part, seen)
    return list(seen.values())
