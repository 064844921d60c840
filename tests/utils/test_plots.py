import itertools
import threading

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text

from keras_balance.utils import image_plots, plots

SHORT = ["0", "1", "2"]
LONG = ["a class with a long name", "ant", "another name that is long"]
WORDS = [f"{letter}-counterrevolutionaries" for letter in "abc"]
MANY = [f"letter {i}" for i in range(47)]


def images_of(names, columns=3, channels=1):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (len(names), columns, 9, 7, channels))


def confusion(names):
    return plots.confusion_matrix(np.eye(len(names)) * 4000, names, title="Held out")


def curves(names):
    lines = np.linspace(0, 1, 5) * np.linspace(0.1, 1, len(names))[:, None]
    scores = {"precision": lines, "recall": lines, "F1": lines}
    return plots.class_curves(scores, range(1, 6), names)


def dots(names):
    means = np.full((len(names), 13), 0.8)
    rows = [f"arm {place}" for place in range(13)]
    return plots.interval_dots(means, means - 0.1, means + 0.1, names, rows, "mean")


def dots_of_arms(names):
    means = np.full((2, len(names)), 0.8)
    scores = ["macro F1", "8 F1"]
    return plots.interval_dots(means, means - 0.1, means + 0.1, scores, names, "mean")


def grid(names):
    return image_plots.image_grid(images_of(names), names, title="epoch 10")


def strip(names):
    grids = {"epoch 1": images_of(names), "after training": images_of(names)}
    return image_plots.image_strip(grids, names)


def boxes(axis):
    """Where the tick labels of an axis are, those beyond its ends left out."""
    low, high = sorted(axis.get_view_interval())
    # An inner panel of several has no labels.
    ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    return [
        label.get_window_extent()
        for place, label in ticks
        if low <= place <= high and label.get_visible() and label.get_text()
    ]


@pytest.mark.parametrize(
    "names",
    [SHORT, LONG, WORDS, pytest.param(MANY, marks=pytest.mark.slow)],
    ids=["short", "long", "words", "many"],
)
@pytest.mark.parametrize("draw", [confusion, curves, dots, dots_of_arms, grid, strip])
def test_labels_are_readable(draw, names):
    """No label of an axis lies on another one, none is outside the picture."""
    figure = draw(names)
    FigureCanvasAgg(figure).draw()
    whole = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            found = boxes(axis)
            for first, second in itertools.pairwise(found):
                assert first.shrunk(0.9, 0.9).count_overlaps([second]) == 0
            for box in found:
                assert whole.x0 - 1 <= box.x0 <= box.x1 <= whole.x1 + 1
                assert whole.y0 - 1 <= box.y0 <= box.y1 <= whole.y1 + 1
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert all(not box.overlaps(axes.get_window_extent()) for axes in figure.axes)
        # Of many curves, the ten that end lowest are named: here the first ones.
        named = names[:10] if draw is curves and len(names) > 30 else names
        assert sorted(text.get_text() for text in legend.get_texts()) == sorted(named)


def test_a_legend_takes_no_room_from_the_picture():
    narrow, wide = curves(SHORT), curves([name * 3 for name in WORDS])
    for figure in (narrow, wide):
        FigureCanvasAgg(figure).draw()
    for before, after in zip(narrow.axes, wide.axes, strict=True):
        width = before.get_window_extent().width
        assert after.get_window_extent().width > 0.9 * width


def test_the_matrix_shows_counts_and_shares():
    axes = plots.confusion_matrix([[1, 3], [0, 200]], ["a", "b"]).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.25, 0.75], [0, 1]])
    assert {text.get_text(): text.get_position() for text in axes.texts} == {
        "1": (0, 0),
        "3": (1, 0),
        "200": (1, 1),
    }


def test_a_class_without_images_is_an_empty_row():
    axes = plots.confusion_matrix([[1, 3], [0, 0]], ["a", "b"]).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array()[1], [0, 0])


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_every_image_stands_in_its_row_and_column(channels):
    images = np.zeros((2, 3, 4, 4, channels))
    images[1, 2] = 10
    picture = image_plots.image_grid(images, ["a", "b"], (0, 10)).axes[0].images[0]
    pixels = picture.get_array()
    # Six pixels an image: four, and the gap around them.
    assert pixels.shape == (12, 18, 3)
    assert (pixels[7:11, 13:17] == 1).all()
    assert (pixels[1:5, 1:5] == 0).all()
    assert (pixels[0] == 0.5).all()


def test_pixels_beyond_the_range_are_clipped():
    images = np.array([-5.0, 15.0]).reshape(1, 2, 1, 1, 1)
    picture = image_plots.image_grid(images, ["a"], (0, 10)).axes[0].images[0]
    pixels = picture.get_array()
    assert [pixels[1, 1, 0], pixels[1, 4, 0]] == [0, 1]


def test_missing_values_leave_gaps():
    nan = np.full((2, 2), np.nan)
    plots.interval_dots(nan, nan, nan, ["a", "b"], ["c", "d"], "F1")
    plots.class_curves({"recall": [[np.nan, 0.5]]}, [1, 2], ["a"])


def test_intervals_are_drawn_where_they_are():
    figure = plots.interval_dots(
        [[0.3, 0.9]], [[0.2, 0.8]], [[0.7, 0.9]], ["F1"], ["first", "second"], "mean"
    )
    panel = figure.axes[0]
    dots, _, (bars,) = panel.containers[0]
    np.testing.assert_allclose(dots.get_xydata(), [[0.3, 0], [0.9, 1]])
    np.testing.assert_allclose(bars.get_segments()[0], [[0.2, 0], [0.7, 0]])
    assert panel.get_ylim() == (1.5, -0.5)  # the first is the uppermost


def test_rows_are_marked_and_the_axis_is_shared():
    means = [[0.3, 0.9], [0.85, 0.95]]
    options = {"marked": ["b"], "share_axis": True}
    panels = plots.interval_dots(
        means, means, means, ["rare F1", "macro F1"], ["a", "b"], "mean", **options
    ).axes
    first, second = (panel.get_xlim() for panel in panels)
    assert first == second
    assert first[0] < 0.3
    for panel in panels:
        (mark,) = panel.patches
        assert (mark.get_y(), mark.get_height()) == (0.5, 1.0)


def test_images_of_a_strip_have_one_size():
    grids = {"original": images_of(SHORT)[:, :1], "copies": images_of(SHORT)}
    figure = image_plots.image_strip(grids, SHORT)
    figure.canvas.draw()
    widths = [panel.get_window_extent().width for panel in figure.axes]
    columns = [grid.shape[1] for grid in grids.values()]
    assert widths[0] / columns[0] == pytest.approx(widths[1] / columns[1], rel=0.02)


def test_more_panels_than_fit_side_by_side_go_on_below():
    nine = np.full((9, 2), 0.5)
    titles = [f"{place} F1" for place in range(9)]
    figure = plots.interval_dots(nine, nine, nine, titles, ["a", "b"], "mean")
    assert [panel.get_title() for panel in figure.axes] == titles


def test_saving_works_in_threads_and_leaves_pyplot_alone(tmp_path):
    import matplotlib.pyplot as plt

    def draw(place):
        plots.save_figure(confusion(SHORT), tmp_path / f"{place}.png")

    threads = [threading.Thread(target=draw, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pictures = [imread(tmp_path / f"{place}.png") for place in range(3)]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert plt.get_fignums() == []


def test_a_picture_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.png"
    plots.save_figure(confusion(SHORT), path)
    before = path.read_bytes()
    broken = confusion(SHORT)
    broken.savefig = lambda *_, **__: (_ for _ in ()).throw(OSError("disk"))
    with pytest.raises(OSError, match="disk"):
        plots.save_figure(broken, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


ODD = ["$a$ and $b$", "_hidden", r"\sqrt{x}", "100 %", "猫", "кот"]


@pytest.mark.parametrize("draw", [confusion, curves, grid, dots_of_arms, strip])
def test_names_are_drawn_as_they_are(draw):
    figure = draw(ODD)
    figure.canvas.draw()
    texts = {text.get_text(): text for text in figure.findobj(Text)}
    assert set(ODD) <= set(texts)
    assert [name for name in ODD if texts[name].get_parse_math()] == []
    assert not any(texts[name]._preprocess_math(name)[1] for name in ODD)


def test_of_many_classes_no_number_could_be_read():
    few, many = (plots.confusion_matrix(np.eye(n), ["a"] * n) for n in (60, 61))
    assert len(few.axes[0].texts) == 60
    assert not many.axes[0].texts


def test_of_many_classes_every_so_manyth_is_named():
    names = [f"class {place}" for place in range(121)]
    axes = plots.confusion_matrix(np.eye(121), names).axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == names[::3]
    assert axes.get_yticks().tolist() == list(range(0, 121, 3))


def test_a_matrix_has_its_numbers_in_full():
    texts = plots.confusion_matrix([[123456, 2], [3, 45678]], ["a", "b"]).axes[0].texts
    assert [text.get_text() for text in texts] == ["123456", "2", "3", "45678"]


def test_of_many_curves_those_that_end_lowest_are_named():
    lines = np.linspace(1, 0, 100)[:, None] * np.ones(4)
    lines[:50] = np.nan
    lines[60, -1] = -1  # lowest at the end alone
    names = [f"class {place}" for place in range(100)]
    figure = plots.class_curves({"recall": -lines, "F1": lines}, range(4), names)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(texts) == {"class 60", *names[-9:]}
    assert figure.legends[0].get_title().get_text() == "lowest F1 at the end"
    assert all(len(panel.lines) == 100 for panel in figure.axes)


def test_letters_that_the_usual_font_lacks_come_from_another():
    usual = plots.as_it_is("a", "ш")["fontfamily"]
    # A font that comes with matplotlib has this letter.
    found = plots.as_it_is("Ⓐ")["fontfamily"]
    assert found[: len(usual)] == usual
    assert len(found) == len(usual) + 1
    figure = plots.confusion_matrix(np.eye(2), ["Ⓐ", "b"])
    figure.canvas.draw()  # it would warn of a missing letter


def test_marked_rows_show_the_better_half_and_write_the_rest():
    means = np.array([0.8, 0.82, 0.85, 0.1])
    errors = np.array([0.01, np.nan, 0.02, np.nan])
    names = ["a", "b", "c", "far below"]
    figure = plots.marked_rows({"all": (means, errors)}, names, 2, "score")
    panel = figure.axes[0]
    low, high = panel.get_xlim()
    assert 0.8 < low < 0.82 < 0.85 < high
    assert [text.get_text().strip() for text in panel.texts] == [
        "\u25c2 0.80",
        "\u25c2 0.10",
    ]
    bold = [
        row.get_text() for row in panel.get_yticklabels() if row.get_weight() == "bold"
    ]
    assert bold == ["c"]
    nothing = {"none": (np.full(4, np.nan), np.full(4, np.nan))}
    assert plots.marked_rows(nothing, names, 0, "score").axes
