"""Where Keras keeps what it downloads."""

import os
import pathlib


def keras_home():
    """Keras' own folder: `$KERAS_HOME`, or `~/.keras` without it."""
    home = os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras"
    return pathlib.Path(home).expanduser()
