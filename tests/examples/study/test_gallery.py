"""The gallery's pictures, of small data."""

import sys

import keras
import numpy as np
from matplotlib.image import imread, imsave

from study import gallery, gallery_pictures, pictures, readme
from study.line_tables import read_cells

NAMES = ["ant", "bee"]


def small_images():
    rng = np.random.default_rng(0)
    y = np.array([0] * 12 + [1] * 2)
    return rng.integers(0, 256, (len(y), 8, 8, 3), "uint8"), y, NAMES, 1


def test_copies_stand_beside_the_original(tmp_path, monkeypatch):
    drawn = {}
    strip = gallery_pictures.image_plots.image_strip
    monkeypatch.setattr(
        gallery_pictures.image_plots,
        "image_strip",
        lambda grids, *rest: drawn.update(grids) or strip(grids, *rest),
    )
    x = gallery.first(small_images())
    layers = {"none": keras.layers.Identity(), "half": keras.layers.Rescaling(0.5)}
    gallery_pictures.save_copies(tmp_path / "layers.png", layers, x)
    assert (drawn["original"] == x).all()
    np.testing.assert_allclose(drawn["copies"][0], np.repeat(x, 9, axis=0))
    np.testing.assert_allclose(drawn["copies"][1], np.repeat(x, 9, axis=0) / 2)
    assert imread(tmp_path / "layers.png").size > 0


def test_what_is_mixed_tells_its_shares(tmp_path, monkeypatch):
    rows = {}
    draw = gallery_pictures.rows_of_images
    monkeypatch.setattr(
        gallery_pictures,
        "rows_of_images",
        lambda given: rows.update(given) or draw(given),
    )
    gallery_pictures.save_mixed(tmp_path / "mixed.png", *gallery.some(*small_images()))
    assert [*rows] == ["original", "MixUp", "CutMix"]
    images, texts = rows["original"]
    assert set(texts) == {"ant"}
    for title in ("MixUp", "CutMix"):
        mixed, shares = rows[title]
        assert (mixed != images).any(axis=(1, 2, 3)).all()
        assert all("% bee" in text and "% ant" in text for text in shares)


def test_without_data_there_is_nothing_to_draw(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gallery"])
    gallery.main()


def test_the_readme_shows_every_class_before_and_after(tmp_path):
    strip = np.random.default_rng(0).random((4, 24, 3))
    imsave(tmp_path / "strip.png", strip)
    cells = read_cells(readme.line_rows()["pretrained"])
    path = tmp_path / "picture.png"
    pictures.draw_before_and_after(cells, readme.RARE, tmp_path / "strip.png", path)
    assert imread(path).size > 0
    squares = pictures.in_columns(strip, 2)
    np.testing.assert_array_equal(squares[4:8, :4], strip[:, 8:12])


def test_pictures_of_scores_have_fewer_than_ten_rows():
    assert len(pictures.SHOWN) < 10
