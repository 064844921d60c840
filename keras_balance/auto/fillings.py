"""The filling that is chosen by validation."""

from keras_balance.auto.auto_synthesizer import AutoSynthesizer
from keras_balance.data.synthesis.registry import Filling

FILLINGS = [
    Filling("auto", lambda images, seed: AutoSynthesizer(), 1000, (), (), chooses=True)
]
