import numpy as np
import pytest

from keras_balance.utils.losses import check_losses


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["loss", "val_loss", "d_loss"])
def test_a_loss_that_is_not_finite_is_named(name, value):
    with pytest.raises(
        FloatingPointError, match=rf"`{name}` was not in epoch 3.*{value}"
    ):
        check_losses(2, {"first_loss": 1.0, name: value})


def test_other_logs_may_be_what_they_are():
    logs = {"loss": 1.0, "val_recall_3": np.nan}
    check_losses(0, logs)
    check_losses(0, None)
    with pytest.raises(FloatingPointError, match="val_recall_3"):
        check_losses(0, logs, ["val_recall_3"])


def test_a_class_of_blossoms_has_no_loss():
    check_losses(0, {"val_precision_blossom": np.nan, "val_recall_lossless": np.nan})
