import numpy as np
import pytest

from keras_balance.models import BAGAN

LABELS = np.repeat([0, 1, 2], 4)


def bagan(**kwargs):
    """A BAGAN with Gaussians, of networks that have learned nothing."""
    model = BAGAN((8, 8, 1), 3, latent_dim=4, seed=1, **kwargs)
    x = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1))
    model.pending = x, np.arange(30) % 3  # as in the midst of phase 1
    return model


def stub(monkeypatch, model, verdicts):
    """Have the classifier of the code give these verdicts, one list a round."""
    rounds = iter(verdicts)
    seen = []

    def guess(images, batch_size):
        seen.append(images)
        return np.eye(3)[next(rounds)]

    monkeypatch.setattr(model, "_guess", guess)
    return seen


def test_what_is_taken_for_another_class_is_drawn_again(monkeypatch):
    model = bagan(tries=3)
    once = bagan().generate(LABELS, seed=5)
    wrong = [0, 0, 0, 0, 1, 1, 2, 1, 2, 2, 2, 0]
    seen = stub(monkeypatch, model, [wrong, [0, 2]])
    images = model.generate(LABELS, seed=5)
    assert [len(drawn) for drawn in seen] == [12, 2]  # the third try is not looked at
    again = wrong != LABELS
    np.testing.assert_array_equal(images[~again], once[~again])
    assert (np.abs(images[again] - once[again]).max(axis=(1, 2, 3)) > 1e-3).all()
    # The one that was taken for right the second time, and the third of the other.
    second = model.images.to_user(seen[1])
    np.testing.assert_array_equal(images[11], second[1])
    assert not np.array_equal(images[6], second[0])


def test_a_classifier_that_never_learned_is_not_asked(monkeypatch):
    model = bagan(tries=3)
    model.compile(label_weight=0)
    assert stub(monkeypatch, model, []) == []
    once = bagan().generate(LABELS, seed=5)
    np.testing.assert_array_equal(model.generate(LABELS, seed=5), once)


def test_acceptance_rates(monkeypatch):
    model = bagan(class_names=["a", "b", "c"])
    stub(monkeypatch, model, [[0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 0]])
    rates = model.acceptance_rates(samples=4, seed=0)
    assert rates == {"a": 0.5, "b": 1.0, "c": 0.75}


def test_nothing_is_drawn_before_training():
    model = BAGAN((8, 8, 1), 3, latent_dim=4, seed=1)
    for draw in (lambda: model.generate([0]), model.acceptance_rates):
        with pytest.raises(RuntimeError, match="is_fitted=False"):
            draw()
