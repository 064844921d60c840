"""Choosing by validation what a rare class is filled up with, and how much."""

from keras_balance.tuners.auto_synthesizer import AutoSynthesizer as AutoSynthesizer
