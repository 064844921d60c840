"""The arms of the study: what a user would try instead, each on the same draw."""

import dataclasses
import time

import keras
import numpy as np
from sklearn.utils.class_weight import compute_class_weight

import keras_balance as kb
from study.experiment import BATCH_SIZE, StopAfter, Training
from study.files import read_json, write_json

# Those of `synthesizer="elastic"`, chosen on images of the training file that the
# draws left over: examples/results. Values, as are the next ones: registered layers
# choose a `fill_mode` by the images, which would change kept figures of photographs.
ELASTIC = {"translation_factor": 0.07, "elastic_factor": 0.04}
# The mildest candidate of `AutoAugmentation`.
SHIFT = {
    "rotation_factor": 0,
    "zoom_factor": 0,
    "noise_factor": 0,
    "translation_factor": 0.04,
}

# What "auto" chose from before "elastic" was there.
AS_PAPER = (
    "nothing",
    "repeat",
    "manual",
    "half bagan+manual, half manual",
    "bagan+manual",
    "bagan",
)


def plain(x, y, seed):
    """Feed the data as it is."""
    return kb.BalancedDataset(
        x, y, batch_size=BATCH_SIZE, sampling_strategy={}, seed=seed
    )


def balanced(task, callbacks):
    """The data without the imbalance: what is there to be recovered."""
    return Training(plain(*task.balanced, task.seed))


def balanced_and_manual_all(task, callbacks):
    """The data without the imbalance, all images rotated, zoomed and with noise."""
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    return Training(plain(*task.balanced, task.seed), augmentation=layer)


def balanced_and_elastic_all(task, callbacks):
    """The data without the imbalance, all images moved and distorted too."""
    return Training(plain(*task.balanced, task.seed), augmentation=elastic_layer(task))


def imbalanced(task, callbacks):
    """The data as it is."""
    return Training(plain(*task.imbalanced, task.seed))


def imbalanced_and_elastic_all(task, callbacks):
    """The data as it is, all images augmented as in "elastic"."""
    layer = elastic_layer(task)
    return Training(plain(*task.imbalanced, task.seed), augmentation=layer)


def class_weights(task, callbacks):
    """The data as it is, a rare class's loss weighing more."""
    y = task.imbalanced[1]
    classes = np.unique(y)
    weights = compute_class_weight("balanced", classes=classes, y=y)
    class_weight = dict(zip(classes.tolist(), weights.tolist(), strict=True))
    return Training(plain(*task.imbalanced, task.seed), class_weight=class_weight)


def oversampling(task, callbacks):
    """Rare images repeated."""
    return Training(task.feed(None))


def smote(task, callbacks):
    """Rare images interpolated in pixels, by imbalanced-learn."""
    return Training(task.feed("smote"))


def manual(task, callbacks):
    """Rare images rotated, zoomed and with noise, as in the paper."""
    return Training(task.feed("manual"))


def shift_all(task, callbacks):
    """Rare images repeated, then all images moved a little."""
    layer = kb.layers.ManualAugmentation(**SHIFT, seed=task.seed)
    return Training(task.feed(None), augmentation=layer)


def flip_all(task, callbacks):
    """Rare images repeated, then all images moved a little, half of them flipped."""
    # With one seed for both, what is flipped would tell how it is moved.
    flip = keras.layers.RandomFlip("horizontal", seed=task.seed + 1)
    move = kb.layers.ManualAugmentation(**SHIFT, seed=task.seed)
    return Training(task.feed(None), augmentation=keras.Sequential([flip, move]))


def manual_all(task, callbacks):
    """Rare images repeated, then all images rotated, zoomed and with noise."""
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    return Training(task.feed(None), augmentation=layer)


def elastic(task, callbacks):
    """Rare images as in "manual", moved and elastically distorted too."""
    return Training(task.feed("elastic"))


def elastic_all(task, callbacks):
    """Rare images repeated, then all images augmented as in "elastic"."""
    return Training(task.feed(None), augmentation=elastic_layer(task))


def auto_layer(task, callbacks):
    """Rare images repeated, then all images through the layer that is found."""
    start = time.process_time()
    auto = kb.tuners.AutoAugmentation(seed=task.seed).fit(*task.imbalanced)
    return Training(
        task.feed(None),
        augmentation=None if auto.choice == "nothing" else auto.layer,
        generator_seconds=time.process_time() - start,
        chooser=auto,
    )


def autoencoder(task, callbacks):
    """Images of the autoencoder with its class Gaussians, without a GAN."""
    model, seconds = trained(task, "autoencoder", callbacks)
    return Training(task.feed(model), generator_seconds=seconds)


def bagan(task, callbacks):
    """Images of BAGAN."""
    model, seconds = trained(task, "bagan", callbacks)
    return Training(task.feed(model), generator_seconds=seconds)


def bagan_and_manual(task, callbacks):
    """Images of BAGAN, rotated, zoomed and with noise."""
    model, seconds = trained(task, "bagan", callbacks)
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    both = kb.data.AugmentedSynthesizer(model, layer)
    return Training(task.feed(both), generator_seconds=seconds)


def half_bagan_and_manual(task, callbacks):
    """One half BAGAN's images, one half real ones, all rotated, zoomed, with noise."""
    model, seconds = trained(task, "bagan", callbacks)
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    both = kb.data.AugmentedSynthesizer(model, layer)
    return Training(task.feed({both: 0.5, layer: 0.5}), generator_seconds=seconds)


def bagan_and_manual_all(task, callbacks):
    """Images of BAGAN, then all images rotated, zoomed and with noise."""
    model, seconds = trained(task, "bagan", callbacks)
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    feed = task.feed(model)
    return Training(feed, augmentation=layer, generator_seconds=seconds)


def bagan_and_elastic_all(task, callbacks):
    """Images of BAGAN, then all images augmented as in "elastic"."""
    model, seconds = trained(task, "bagan", callbacks)
    return Training(
        task.feed(model), augmentation=elastic_layer(task), generator_seconds=seconds
    )


def half_bagan_and_manual_all(task, callbacks):
    """One half BAGAN's images, one half real ones, then all images augmented."""
    model, seconds = trained(task, "bagan", callbacks)
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    feed = task.feed({model: 0.5, "repeat": 0.5})
    return Training(feed, augmentation=layer, generator_seconds=seconds)


def published(task, callbacks):
    """Images of the published BAGAN, stopped when it took the time that ours takes."""
    start = time.process_time()
    model = kb.models.published_bagan(
        task.image_shape, task.num_classes, seed=task.seed
    )
    run = {"autoencoder_epochs": 1, "batch_size": BATCH_SIZE, "verbose": 0}
    model.fit(*task.imbalanced, epochs=0, callbacks=[StopAfter(6)], **run)
    model.fit(
        *task.imbalanced,
        epochs=1,
        initial_epoch=1,
        callbacks=[StopAfter(3), *callbacks],
        **run,
    )
    seconds = time.process_time() - start
    return Training(task.feed(model), generator_seconds=seconds)


def auto(task, callbacks):
    """What the package chooses by itself."""
    return chosen(task, kb.tuners.AutoSynthesizer())


def auto_as_paper(task, callbacks):
    """What it chooses among the paper's ways of filling, without "elastic"."""
    return chosen(task, kb.tuners.AutoSynthesizer(AS_PAPER))


def auto_as_paper_all(task, callbacks):
    """The same, then all images rotated, zoomed and with noise."""
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    return dataclasses.replace(auto_as_paper(task, callbacks), augmentation=layer)


def filled(known=()):
    """Arms of the registered fillings, by their names: each fills the rare classes."""
    return {
        name: _filled_by(name)
        for name in kb.data.registry.names_to_choose_from()
        if name not in known
    }


def _filled_by(name):
    return lambda task, callbacks: Training(task.feed(name))


# In the order of the tables.
NAMED = {
    "balanced": balanced,
    "balanced+manual, all classes": balanced_and_manual_all,
    "balanced+elastic, all classes": balanced_and_elastic_all,
    "imbalanced": imbalanced,
    "imbalanced+elastic, all classes": imbalanced_and_elastic_all,
    "class weights": class_weights,
    "oversampling": oversampling,
    "smote": smote,
    "shift, all classes": shift_all,
    "flip, all classes": flip_all,
    "manual": manual,
    "manual, all classes": manual_all,
    "elastic": elastic,
    "elastic, all classes": elastic_all,
    "auto layer": auto_layer,
    "autoencoder": autoencoder,
    "bagan": bagan,
    "bagan+manual": bagan_and_manual,
    "half bagan+manual, half manual": half_bagan_and_manual,
    "bagan+manual, all classes": bagan_and_manual_all,
    "bagan+elastic, all classes": bagan_and_elastic_all,
    "half bagan+manual, half manual, all classes": half_bagan_and_manual_all,
    "published": published,
    "auto": auto,
    "auto, no elastic": auto_as_paper,
    "auto, no elastic, all classes": auto_as_paper_all,
}
ARMS = NAMED | filled(known=NAMED)
PAPER = ("balanced", "imbalanced", "bagan", "manual")


def elastic_layer(task):
    """Manual augmentation with a translation and an elastic distortion."""
    return kb.layers.ManualAugmentation(**ELASTIC, seed=task.seed)


def chosen(task, chooser):
    """Fill by what a chooser takes."""
    start = time.process_time()
    feed = task.feed(chooser)
    seconds = time.process_time() - start
    return Training(feed, generator_seconds=seconds, chooser=chooser)


def trained(task, phase, callbacks=()):
    """Give the task's BAGAN as it is after a phase, trained once and then kept.

    The GAN goes on from the autoencoder, so that the two differ by the second phase
    alone.

    Returns:
        The model, and the processor seconds that it took.
    """
    paths = {
        name: task.folder / f"{name}-seed{task.seed}.keras"
        for name in ("autoencoder", "bagan")
    }
    told = task.folder / f"seconds-seed{task.seed}.json"
    if not told.exists():
        task.folder.mkdir(parents=True, exist_ok=True)
        write_json(told, _train(task, paths, callbacks))
    seconds = read_json(told)[phase]
    return keras.saving.load_model(paths[phase]), seconds


def _train(task, paths, callbacks):
    """Train both phases, and save the model after each; processor seconds of each."""
    start = time.process_time()
    model = kb.models.BAGAN(task.image_shape, task.num_classes, seed=task.seed)
    run = {"callbacks": list(callbacks), "verbose": 0}
    epochs = len(model.fit(*task.imbalanced, epochs=0, **run).epoch)
    seconds = {"autoencoder": time.process_time() - start}
    model.save(paths["autoencoder"])
    model.fit(*task.imbalanced, autoencoder_epochs=epochs, initial_epoch=epochs, **run)
    seconds["bagan"] = time.process_time() - start
    model.save(paths["bagan"])
    return seconds
