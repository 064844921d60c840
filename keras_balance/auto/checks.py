"""The rules for the arguments of `AutoSynthesizer` and `AutoAugmentation`."""

import weakref

import keras
import numpy as np

from keras_balance.data.synthesis import registry
from keras_balance.data.synthesis.called import takes_an_image
from keras_balance.layers.mixing import check_mixes_nothing
from keras_balance.utils.numbers import flag, real_number, whole_number
from keras_balance.utils.outputs import num_classes_of

# Weights by their id: variables cannot be compared, nor be in a set.
_trained = weakref.WeakValueDictionary()


def candidates(value):
    """`candidates` as a dict of names to what `_fit` of the automatic choices takes."""
    known = registry.names_to_choose_from()
    return _by_name(value, known, "synthesizers", _as_function)


def layers(value):
    """`candidates` in the same way, of layers or None for none."""
    return _by_name(value, registry.names("front"), "layers", _as_layer)


def classifier(value, name="classifier"):
    """`classifier` as it is: a function, or None."""
    if value is None or (callable(value) and not isinstance(value, keras.layers.Layer)):
        return value
    raise TypeError(
        f"`{name}` must be a function without arguments that returns a compiled "
        f"Keras model. Received: {name}={value!r}"
    )


def features(value, classifier):
    """Check `features`, a function from images to vectors or None."""
    if value is not None and not callable(value):
        raise TypeError(
            "`features` must be a Keras model, or another function, from images to "
            f"vectors. Received: features={value!r}"
        )
    if value is not None and classifier is not None:
        raise ValueError(
            "`features` must be None where there is a `classifier` to train. "
            f"Received: features={value!r}"
        )
    return value


def backbone(value, build):
    """Check `features` of `AutoBalance`, a Keras model or None."""
    if value is not None and build is not None:
        raise ValueError(
            "`features` must be None where `build` is given. Received: "
            f"features={value!r} beside build={build!r}"
        )
    if value is not None and not isinstance(value, keras.Model):
        raise TypeError(
            "`features` must be a Keras model from images to vectors. "
            f"Received: features={value!r}"
        )
    return value


def feed(value, classifier):
    """Check `feed`, a function or None."""
    if value is not None and not callable(value):
        raise TypeError(
            "`feed` must be a function from images and labels to a BalancedDataset. "
            f"Received: feed={value!r}"
        )
    if value is not None and classifier is None:
        raise ValueError(
            "`feed` must be None without a `classifier` to train. "
            f"Received: feed={value!r}"
        )
    return value


def two_images_a_class(images):
    """Raise a `ValueError` for a class that a fold would leave without an image."""
    few = images.counts < 2
    if few.any():
        name = images.encoding.classes[few][0].item()
        raise ValueError(
            "Every class must have at least two images, to train without one. "
            f"Received: y with one image of class {name!r}"
        )


def steps(value, classifier):
    """Check `steps`, an integer or None."""
    if value is None:
        return None
    if classifier is None:
        raise ValueError(
            "`steps` must be None without a `classifier` to train. "
            f"Received: steps={value!r}"
        )
    return whole_number("steps", value, 1)


def per_class(value, target_prior):
    """Check `per_class`: for many strengths there is a log-loss, and no F1."""
    value = flag("per_class", value)
    if value and not (isinstance(target_prior, str) and target_prior == "uniform"):
        raise ValueError(
            "`per_class` must be False where `target_prior` is not 'uniform'. "
            f"Received: per_class={value!r} and target_prior={target_prior!r}"
        )
    return value


def time_budget(value):
    """`time_budget` in seconds, infinite for None."""
    if value is None:
        return np.inf
    return real_number("time_budget", value, 0)


def compiled_model(model, name="classifier"):
    """`model` as it is: a compiled Keras model, from the function of that name."""
    if not isinstance(model, keras.Model) or not model.compiled:
        raise TypeError(
            f"`{name}()` must return a compiled Keras model. "
            f"Received: {name}()={model!r}"
        )
    return model


def never_trained(model, name):
    """Raise a `ValueError` for weights that an earlier training has had.

    They know images that are held out by now. Those of the model are remembered.
    """
    for variable in model.trainable_variables:
        if _trained.get(id(variable)) is variable:
            raise ValueError(
                f"`{name}()` must return a new model each time; a layer that it shares "
                "with an earlier one must be frozen. Received: a model "
                f"{model.name!r} whose weights {variable.path!r} are already trained"
            )
        _trained[id(variable)] = variable


def outputs(values, num_classes, name="classifier"):
    """Raise a `ValueError` where a classifier's outputs are not one a class."""
    shape = tuple(values.shape)
    if len(shape) != 2 or num_classes_of(shape) != num_classes:
        raise ValueError(
            f"The model of `{name}()` must give {num_classes} numbers for an "
            "image, one a class, or a single one for two classes. "
            f"Received: outputs of shape {shape}"
        )


def finite(probabilities, source):
    """Raise a `FloatingPointError` where a training gave NaN; `source` says whose."""
    if not np.isfinite(probabilities).all():
        raise diverged(source)


def diverged(source):
    """Error for a training that gave NaN."""
    return FloatingPointError(
        "A training must give finite outputs. A lower learning rate, or pixels within "
        "the range that the model expects, usually mends it. "
        f"Received: NaN or infinite outputs from {source}"
    )


def _as_function(candidate):
    is_ready = isinstance(candidate, keras.layers.Layer) or hasattr(
        candidate, "generate"
    )
    check_mixes_nothing(candidate, "candidates")
    if callable(candidate) and not is_ready and not takes_an_image(candidate):
        return lambda images, seed: candidate(images.x, images.labels, seed)
    return lambda images, seed: candidate


def _as_layer(candidate):
    if candidate is None or isinstance(candidate, keras.layers.Layer):
        check_mixes_nothing(candidate, "candidates")
        return lambda images, seed: candidate
    raise TypeError(
        "The values of `candidates` must be Keras layers or None. A function from an "
        "image to an image runs in the feed: judge it by `kb.tuners.AutoSynthesizer`, "
        f"or pass it as `synthesizer` to `BalancedDataset`. Received: {candidate!r}"
    )


def _by_name(value, known, kind, as_function):
    """Functions `(images, seed)` by name; None for a filling of the registry."""
    if isinstance(value, dict):
        found = {str(name): as_function(part) for name, part in value.items()}
    elif isinstance(value, (list, tuple)):
        for name in value:
            if name not in known:
                raise ValueError(
                    f"`candidates` must be names out of {known}, or a dict "
                    f"of names to {kind}. Received: candidates={value!r}"
                )
        found = dict.fromkeys(value)
    else:
        raise TypeError(
            f"`candidates` must be a sequence of names or a dict of names to {kind}. "
            f"Received: candidates={value!r}"
        )
    if not found:
        raise ValueError(
            f"`candidates` must hold at least one. Received: candidates={value!r}"
        )
    return found
