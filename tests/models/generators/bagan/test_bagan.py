import inspect
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_balance.callbacks import GeneratedImages
from keras_balance.data import BalancedDataset, FilteredSynthesizer
from keras_balance.layers import RandomGaussianNoise
from keras_balance.models import BAGAN, ClassGaussians
from small_data import class_images
from small_models import EAGERLY, dense_networks

SELECTION = "keras_balance.models.training.selection"
SHAPE = (8, 8, 1)

# A few steps leave every image of a class alike.
pytestmark = pytest.mark.filterwarnings("ignore:Generated images of class")


def small(shape=SHAPE, num_classes=3, compile=None, own_networks=False, **kwargs):
    """A BAGAN with dense networks, or with its own ones, which are convolutional.

    Its own ones are given augmented images.
    """
    own = {"latent_dim": 4}
    quick = {"augmentation": None, **dense_networks(shape)}
    options = {"seed": 1, **(own if own_networks else quick), **kwargs}
    bagan = BAGAN(shape, num_classes, **options)
    bagan.compile(**{"run_eagerly": EAGERLY, **(compile or {})})
    return bagan


def fit(bagan, x, y=None, **kwargs):
    options = {"epochs": 1, "autoencoder_epochs": 2, "verbose": 0}
    return bagan.fit(x, y, **{**options, **kwargs})


@pytest.fixture(scope="module")
def fitted():
    bagan = small(own_networks=True)
    bagan.compile()
    fit(bagan, *class_images([40, 30, 5]), autoencoder_epochs=8)
    return bagan


# Training


@pytest.mark.once  # JAX compiles each size of batch anew, for minutes
def test_history_tells_the_phases_apart():
    bagan = small(candidates=1)
    history = fit(bagan, *class_images([40, 30, 5]), epochs=3).history
    lengths = {key: len(values) for key, values in history.items()}
    assert lengths == {"autoencoder_loss": 2, "d_loss": 3, "g_loss": 3, "diversity": 3}
    assert np.isfinite([v for values in history.values() for v in values]).all()


@pytest.mark.once  # JAX compiles each size of batch anew, for minutes
def test_the_number_of_steps_follows_from_the_data(monkeypatch):
    first, second = BAGAN.phases
    few = first._replace(steps=12), second._replace(steps=6)
    monkeypatch.setattr(BAGAN, "phases", few)
    bagan = small(candidates=1)
    history = bagan.fit(*class_images([40, 40, 5]), batch_size=20, verbose=0).history
    assert len(history["autoencoder_loss"]) == 2  # 6 batches of balanced images
    assert len(history["d_loss"]) == 1


def test_the_autoencoder_learns_and_its_images_look_like_their_class(fitted):
    x, y = class_images([40, 30, 5])
    images = fitted.generate(np.repeat([0, 1, 2], 20), seed=0)
    means = np.stack([x[y == c].mean(axis=0) for c in range(3)])
    distance = np.abs(images[:, None] - means).mean(axis=(2, 3, 4))
    assert (distance.argmin(axis=1) == np.repeat([0, 1, 2], 20)).mean() > 0.9


@pytest.mark.once  # JAX compiles each size of batch anew, for minutes
@pytest.mark.parametrize("counts", [[1, 1], [2, 1, 12]])
def test_any_number_of_images_a_class(counts):
    x, y = class_images(counts)
    bagan = small(num_classes=len(counts))
    fit(bagan, x, y)
    assert np.isfinite(bagan.generate(np.arange(len(counts)), seed=0)).all()


@pytest.mark.once  # JAX compiles each size of batch anew, for minutes
@pytest.mark.parametrize("shape", [(4, 4, 1), (40, 64, 4)])
def test_small_and_large(shape):
    x, y = class_images([3, 1], shape)
    bagan = small(shape, 2, own_networks=True, candidates=0)
    fit(bagan, x, y, autoencoder_epochs=1)
    assert bagan.generate([0, 1], seed=0).shape == (2, *shape)
    assert bagan.reconstruct(x[:3]).shape == (3, *shape)


def data_set(x, y):
    """Batches in the form that the backend's users have."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    import torch

    data = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    return torch.utils.data.DataLoader(data, batch_size=16)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="it has none of its own")
def test_learns_from_data_sets_too():
    bagan = small()
    history = fit(bagan, data_set(*class_images([20, 20, 4]))).history
    assert len(history["d_loss"]) == 1
    assert bagan.generate([2], seed=0).shape == (1, *SHAPE)


@pytest.mark.once
def test_callbacks_see_both_phases_as_one_run(tmp_path):
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, *logs))
    )
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 10.0 ** -(epoch + 2))
    pictures = GeneratedImages(tmp_path, every=1, per_class=2)
    bagan = small(candidates=1)
    fit(bagan, *class_images([20, 10, 5]), callbacks=[watch, rates, pictures])
    assert [entry[0] for entry in seen] == [0, 1, 2]
    assert "autoencoder_loss" in seen[1]
    assert "d_loss" in seen[2]
    assert float(bagan.optimizer["autoencoder"].learning_rate) == pytest.approx(1e-3)
    assert float(bagan.optimizer["generator"].learning_rate) == pytest.approx(1e-4)
    assert {"epoch_0001.png", "epoch_0003.png"} <= {p.name for p in tmp_path.iterdir()}


@pytest.mark.once
def test_keeps_the_checkpoint_with_the_best_score(monkeypatch):
    scores = iter([0.5, 0.9, 0.7])
    monkeypatch.setattr(
        f"{SELECTION}.usefulness",
        lambda *_: next(scores),
    )
    bagan = small(candidates=2)
    kept = {}
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: kept.update(
            {epoch + 1: bagan.generator.get_weights()[0].copy()}
        )
    )
    fit(bagan, *class_images([20, 10, 5]), epochs=2, callbacks=[watch])
    assert bagan.candidate_scores == {2: 0.5, 3: 0.9, 4: 0.7}
    np.testing.assert_array_equal(bagan.generator.get_weights()[0], kept[3])
    assert np.abs(kept[4] - kept[3]).max() > 0


@pytest.mark.once
def test_checkpoints_are_chosen_by_what_features_show(monkeypatch):
    judged_by = []
    monkeypatch.setattr(
        f"{SELECTION}.usefulness", lambda *args: judged_by.append(args[-1]) or 0.5
    )

    def backbone(images):
        return images.reshape(len(images), -1)

    bagan = small(candidates=1)
    fit(bagan, *class_images([20, 10, 5]), epochs=1, features=backbone)
    assert [features.backbone for features in judged_by] == [backbone] * 2


@pytest.mark.once
def test_the_gan_cannot_make_the_autoencoder_worse(monkeypatch):
    scores = iter([0.9, 0.9, 0.1])
    monkeypatch.setattr(
        f"{SELECTION}.usefulness",
        lambda *_: next(scores),
    )
    x, y = class_images([20, 10, 5])
    bagan, plain = small(candidates=2), small()
    fit(bagan, x, y, epochs=2)
    fit(plain, x, y, epochs=0)
    np.testing.assert_array_equal(
        bagan.generate([0, 2], seed=0), plain.generate([0, 2], seed=0)
    )


@pytest.mark.once
def test_a_collapsed_class_is_told(monkeypatch):
    monkeypatch.setattr(
        f"{SELECTION}.diversity",
        lambda *_: np.array([0.8, 0.001, 0.9]),
    )
    with pytest.warns(UserWarning, match="class 1 .* 0.001") as caught:
        history = fit(small(), *class_images([20, 10, 5]), epochs=3).history
    assert sum("nearly all alike" in str(one.message) for one in caught) == 1
    assert history["diversity"] == [0.001] * 3


def test_a_loss_that_diverges_stops_and_keeps_the_weights():
    bagan = small()
    sgd = keras.optimizers.SGD(1e25)
    bagan.compile(autoencoder_optimizer=sgd, run_eagerly=EAGERLY)
    before = [weight.copy() for weight in bagan.encoder.get_weights()]
    with pytest.raises(FloatingPointError, match="`autoencoder_loss` was not"):
        fit(bagan, *class_images([40, 30, 5]), batch_size=8)
    for kept, old in zip(bagan.encoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, old)


@pytest.mark.parametrize(
    ("policy", "is_own"),
    [("mixed_float16", False), ("mixed_bfloat16", True)],
)
def test_mixed_precision_stays_finite(policy, is_own):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        noise = RandomGaussianNoise(0.1, value_range=(-1, 1))
        options = {"augmentation": noise} if is_own else {"own_networks": True}
        bagan = small(**options)
        history = fit(bagan, *class_images([20, 10, 5])).history
    finally:
        keras.config.set_dtype_policy(before)
    assert np.isfinite([v for values in history.values() for v in values]).all()
    assert {weight.dtype for weight in bagan.decoder.weights} == {"float32"}
    assert bagan.generate([0, 1], seed=0).dtype == "float32"


# Use


@pytest.mark.once
def test_generates_float32_images_in_the_value_range(fitted):
    images = fitted.generate([0, 1, 2, 2], seed=np.int64(3))
    assert images.dtype == "float32"
    assert images.shape == (4, *SHAPE)
    assert images.min() >= 0
    assert 20 < images.max() <= 255
    unit = small(value_range=(0, 1))
    x, y = class_images([10, 10, 4])
    fit(unit, x / 255.0, y)
    assert unit.generate([0, 1, 2], seed=0).max() <= 1


def test_the_same_seed_gives_the_same_images(fitted):
    labels = np.repeat([0, 1, 2], 3)
    first = fitted.generate(labels, seed=1)
    np.testing.assert_array_equal(first, fitted.generate(labels, seed=1))
    np.testing.assert_allclose(first, fitted.generate(labels, 1, batch_size=4), atol=1)
    assert np.abs(first - fitted.generate(labels, seed=2)).max() > 1
    assert np.abs(first - fitted.generate(labels)).max() > 1


def test_encodes_reconstructs_and_discriminates(fitted):
    x, _ = class_images([40, 30, 5])
    assert fitted.encode(x[:7]).shape == (7, 4)
    floats = x[:7].astype("float32")
    np.testing.assert_array_equal(fitted.encode(x[:7]), fitted.encode(floats))
    reconstructions = fitted.reconstruct(x[:7])
    assert reconstructions.shape == (7, *SHAPE)
    assert np.abs(reconstructions - x[:7]).mean() < np.abs(x[:7] - x[:7].mean()).mean()
    probabilities = fitted.discriminate(x[:7])
    assert probabilities.shape == (7, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert fitted.predict(x[:7], verbose=0).shape == (7, *SHAPE)


def test_feeds_a_balanced_dataset(fitted):
    x, y = class_images([40, 30, 5])
    data = BalancedDataset(x, y, batch_size=120, synthesizer=fitted, seed=0)
    images, labels = data[0]
    assert np.bincount(labels).tolist() == [40, 40, 40]
    assert images.max() <= 255


GENERATE = """
import sys, keras, numpy as np
import keras_balance
bagan = keras.saving.load_model(sys.argv[1])
images = bagan.generate([0, 1, 2] * 20, seed=7)
np.savez(sys.argv[2], *bagan.get_weights(), images=images)
"""


@pytest.mark.slow  # test_generator_contract.py has a file of it in this process
def test_a_fresh_process_generates_the_same_images(fitted, tmp_path):
    fitted.save(tmp_path / "bagan.keras")
    arguments = [str(tmp_path / "bagan.keras"), str(tmp_path / "there.npz")]
    subprocess.run([sys.executable, "-c", GENERATE, *arguments], check=True)
    with np.load(tmp_path / "there.npz") as there:
        for place, weight in enumerate(fitted.get_weights()):
            np.testing.assert_array_equal(there[f"arr_{place}"], weight)
        images = there["images"]
    np.testing.assert_array_equal(images, fitted.generate([0, 1, 2] * 20, seed=7))


def test_saves_both_phases_optimizers_and_trains_on(fitted, tmp_path):
    fitted.save(tmp_path / "bagan.keras")
    loaded = keras.saving.load_model(tmp_path / "bagan.keras")
    for mine, theirs in zip(
        loaded.optimizer.variables, fitted.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert int(loaded.optimizer["generator"].iterations) == 2
    loaded.run_eagerly = EAGERLY
    fit(loaded, *class_images([40, 30, 5]), initial_epoch=2)


def test_config_holds_every_argument():
    bagan = small(
        value_range=(-1, 1),
        gaussians=ClassGaussians(0.3, truncation=None),
        augmentation=RandomGaussianNoise(0.1, value_range=(-1, 1)),
        class_names=[7, 2, 40],
    )
    config = bagan.get_config()
    arguments = inspect.signature(BAGAN.__init__).parameters
    assert {*arguments} - {"self", "kwargs"} <= {*config}
    twin = BAGAN.from_config(config)
    assert twin.get_config() == config
    assert twin.class_names == [7, 2, 40]
    assert isinstance(twin.augmentation, RandomGaussianNoise)
    assert twin.gaussians.get_config() == bagan.gaussians.get_config()


def test_a_file_holds_the_arguments_of_compile(tmp_path):
    told = {"label_weight": 0.5, "generator_optimizer": "sgd", "run_eagerly": True}
    bagan = small(compile=told)
    bagan.save(tmp_path / "bagan.keras")
    loaded = keras.saving.load_model(tmp_path / "bagan.keras")
    assert loaded.get_compile_config() == bagan.get_compile_config()
    assert loaded.label_weight == 0.5
    assert loaded.run_eagerly
    assert isinstance(loaded.optimizer["generator"], keras.optimizers.SGD)


# Networks of the user


def test_networks_can_be_replaced(tmp_path):
    bagan = small()
    fit(bagan, *class_images([20, 10, 5]))
    assert bagan.discriminator.count_params() == 64 * 4 + 4
    bagan.save(tmp_path / "own.keras")
    loaded = keras.saving.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(loaded.generate([1], 0), bagan.generate([1], 0))


def test_networks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`encoder` must map .*to \(None, 5\)"):
        small(encoder=dense_networks(latent_dim=5)["encoder"])
    with pytest.raises(ValueError, match=r"`decoder` must map .*from \(None, 5\)"):
        small(decoder=dense_networks(latent_dim=5)["decoder"])
    with pytest.raises(TypeError, match="`encoder` must be a built"):
        small(encoder="convolutional")


# Bad input


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"image_shape": (8, 8)}, ValueError, r"image_shape=\(8, 8\)"),
        ({"image_shape": (1, 1, 1)}, ValueError, r"4 pixels.*\(1, 1, 1\)"),
        ({"image_shape": 8}, ValueError, "image_shape=8"),
        ({"num_classes": 1}, ValueError, "num_classes=1"),
        ({"num_classes": "3"}, TypeError, "num_classes='3'"),
        ({"latent_dim": 0}, ValueError, "latent_dim=0"),
        ({"value_range": (1, 0)}, ValueError, r"value_range=\(1, 0\)"),
        ({"candidates": 1.5}, TypeError, "candidates=1.5"),
        ({"class_names": ["a", "a", "b"]}, ValueError, "class_names="),
        ({"data_format": "first"}, ValueError, "data_format='first'"),
        ({"seed": 1.5}, TypeError, "seed=1.5"),
    ],
)
def test_arguments_are_checked_at_construction(arguments, error, text):
    with pytest.raises(error, match=text):
        BAGAN(**{"image_shape": SHAPE, "num_classes": 3, **arguments})


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"code_noise": float("nan")}, ValueError, "code_noise=nan"),
        ({"ema_momentum": -1}, ValueError, "ema_momentum=-1"),
        ({"fake_share": 1.5}, ValueError, r"\[0, 1\].*fake_share=1.5"),
        ({"label_weight": "a"}, TypeError, "label_weight='a'"),
    ],
)
def test_weights_are_checked_when_compiled(arguments, error, text):
    with pytest.raises(error, match=text):
        small(compile=arguments)


def test_without_its_gan_there_is_no_discriminator(tmp_path):
    bagan = small()
    x, y = class_images([20, 10, 5])
    fit(bagan, x, y, epochs=0)
    with pytest.raises(RuntimeError, match="judge by `classify`"):
        FilteredSynthesizer(bagan).generate([0, 1], seed=0)
    probabilities = bagan.classify(x[:5])
    assert probabilities.shape == (5, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    judged = FilteredSynthesizer(bagan, judge=bagan.classify)
    assert judged.generate([0, 1], seed=0).shape == (2, *SHAPE)
    fit(bagan, x, y)
    assert bagan.discriminate(x[:5]).shape == (5, 4)
    bagan.save(tmp_path / "bagan.keras")
    loaded = keras.saving.load_model(tmp_path / "bagan.keras")
    assert loaded.discriminate(x[:5]).shape == (5, 4)
    fit(bagan, x, y, epochs=0)  # the autoencoder anew: the old one is none of its own
    with pytest.raises(RuntimeError, match="judge by `classify`"):
        bagan.discriminate(x[:5])


def test_a_classifier_without_a_loss_does_not_judge():
    bagan = small(compile={"label_weight": 0})
    x, y = class_images([20, 10, 5])
    fit(bagan, x, y, epochs=0)
    with pytest.raises(RuntimeError, match=r"label_weight=0\.0"):
        bagan.classify(x[:5])


@pytest.mark.once
def test_bad_data_is_refused_before_training(fitted):
    x, y = class_images([10, 10, 4])
    bagan = small()
    with pytest.raises(ValueError, match="without class 2"):
        fit(bagan, x[:20], y[:20])
    with pytest.raises(ValueError, match=r"num_classes=3\).*=3"):
        fit(bagan, x, y + 1)
    with pytest.raises(ValueError, match=r"len\(x\)=24, len\(y\)=23"):
        fit(bagan, x, y[:-1])
    with pytest.raises(ValueError, match=r"image_shape=\(8, 8, 1\)"):
        fit(bagan, x[:, :7], y)
    with pytest.raises(ValueError, match="rank 4"):
        fit(bagan, x[..., 0], y)
    with pytest.raises(ValueError, match="y=None with x of type ndarray"):
        fit(bagan, x)
    broken = x.astype("float32")
    broken[3, 2, 1, 0] = np.nan
    with pytest.raises(ValueError, match=r"x\[3, 2, 1, 0\]=nan"):
        fit(bagan, broken, y)
    with pytest.raises(ValueError, match=r"x from 0\.\d+ to 0\.\d+"):
        fit(bagan, x / 255.0, y)
    with pytest.raises(ValueError, match=r"value_range=\(-1.0, 1.0\)"):
        fit(small(value_range=(-1, 1)), x, y)
    with pytest.raises(ValueError, match=r"labels\[1\]=3"):
        fitted.generate([0, 3])
    with pytest.raises(ValueError, match="images of shape"):
        fitted.encode(x[:, :7])
    with pytest.raises(RuntimeError, match="run `fit`"):
        bagan.generate([0])
