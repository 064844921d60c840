import pathlib

from keras_balance.utils.keras_home import keras_home


def test_the_variable_says_where(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "~/elsewhere")
    assert keras_home() == pathlib.Path.home() / "elsewhere"
    monkeypatch.setenv("KERAS_HOME", "")
    assert keras_home() == pathlib.Path.home() / ".keras"
