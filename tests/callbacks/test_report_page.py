"""The page that a report writes: whole, self-contained, opened in a browser."""

import html.parser
import shutil
import subprocess

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import keras_balance as kb
from keras_balance.metrics import html_report

pytestmark = pytest.mark.once

NAMES = ["cat", "<b>dog & co</b>", "$x_1$"]


class Page(html.parser.HTMLParser):
    """Tags that are open at the end, addresses of pictures, and the text."""

    EMPTY = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.sources, self.texts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


class Known(keras.layers.Layer):
    """Gives each image of the held-out data the outputs that it is to have."""

    def call(self, images):
        return images[:, 0, :3, 0] / 255


def held_out(layout="channels_last"):
    """Images whose first pixels are the outputs; 2 of 4 of the rare class missed."""
    y = np.repeat([0, 1, 2], [9, 8, 4])
    x = np.random.default_rng(0).integers(0, 60, (len(y), 8, 8, 3)).astype("float32")
    outputs = np.eye(3)[y] * 0.9
    outputs[-2:] = [[0.05, 0.8, 0.15], [0.7, 0.1, 0.2]]
    x[:, 0, :3, 0] = 255 * outputs
    return x, y


def write(folder, x, y, class_names=NAMES, **options):
    model = keras.Sequential([keras.Input((8, 8, 3)), Known()])
    model.compile(loss="sparse_categorical_crossentropy")
    report = kb.callbacks.PerClassReport(
        x, y, class_names, directory=folder, batch_size=5, **options
    )
    callbacks = keras.callbacks.CallbackList([report], model=model)
    callbacks.on_train_begin()
    for epoch in range(3):
        callbacks.on_epoch_end(epoch, {})
    callbacks.on_train_end()
    return report, (folder / "report.html").read_text(encoding="utf-8")


def test_histories_as_users_have_them(tmp_path):
    report = kb.metrics.class_report([0, 1], np.eye(2), ["a", "b"])
    keys = [f"{score}_{name}" for score in ("recall", "f1") for name in "ab"]
    for prefix in ("", "val_"):
        history = {prefix + key: [0.5, 0.75] for key in keys} | {"loss": [1, 2]}
        path = tmp_path / f"{prefix}.html"
        kb.metrics.save_html_report(path, report, history=history)
        assert len(Page(path.read_text()).sources) == 3
    misses = html_report.Misses("c", np.zeros((0, 8, 8, 1)), [])
    for options, text in (
        ({"history": {"loss": [1, 2]}}, r"keys \['loss'\]"),
        ({"history": history, "epochs": [1]}, "1 epochs"),
        ({"misses": misses}, "misses of 'c'"),
    ):
        with pytest.raises(ValueError, match=text):
            kb.metrics.save_html_report(path, report, **options)


def test_the_page_shows_scores_pictures_and_misses(tmp_path):
    report, text = write(tmp_path, *held_out())
    page = Page(text)
    assert page.open == []
    assert "script" not in page.tags
    # Matrix, two curves, two thumbnails; nothing is fetched from elsewhere.
    assert len(page.sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert "b" not in page.tags  # a name is no HTML
    assert "Held-out data after epoch 3" in page.text
    assert "Of the class $x_1$, 50.0% was found" in page.text
    assert f"Macro F1 {report.history['val_f1_macro'][-1]:.4f}" in page.text
    misses = page.text.partition("Most confident misses of the class $x_1$")[2]
    first, second = (f"taken for {NAMES[1]}", f"taken for {NAMES[0]}")
    assert 0 < misses.find(first) < misses.find(second)


@pytest.mark.usefixtures("blank_pictures")
@pytest.mark.parametrize("form", ["names", "one_hot", "batches"])
def test_labels_and_sources_of_any_form(tmp_path, form):
    x, y = held_out()
    if form == "names":
        x, y = x, np.array(["ant", "bee", "cow"])[y]
    elif form == "one_hot":
        y = np.eye(3)[y]
    else:
        x, y = kb.BalancedDataset(x, y, sampling_strategy={}, seed=0), None
    names = ["ant", "bee", "cow"]
    text = Page(write(tmp_path, x, y, names)[1]).text
    assert text.count("cow, taken for") == 2


@pytest.mark.usefixtures("blank_pictures")
def test_one_sigmoid_output(tmp_path):
    x, y = held_out()
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Lambda(lambda v: v[:, 0, 1:2, 0] / 255)]
    )
    model.compile(loss="binary_crossentropy")
    report = kb.callbacks.PerClassReport(x, y == 1, directory=tmp_path, threshold=0.95)
    report.set_model(model)
    report.on_epoch_end(0)
    report.on_train_end()
    text = Page((tmp_path / "report.html").read_text()).text
    assert text.count("1, taken for 0") == 8


@pytest.mark.usefixtures("blank_pictures")
def test_what_is_no_image_has_no_thumbnails(tmp_path):
    x, y = np.random.default_rng(0).random((20, 4)).astype("float32"), np.arange(20) % 2
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    report = kb.callbacks.PerClassReport(x, y, directory=tmp_path)
    model.fit(x, y, callbacks=[report], verbose=0)
    assert "misses" not in Page((tmp_path / "report.html").read_text()).text


def test_further_sections_of_text_and_figures(tmp_path):
    report = kb.metrics.class_report([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    figure = kb.metrics.compare_reports({"arm": report}).picture()
    path = tmp_path / "new" / "report.html"
    sections = {"Why <this>": ["tau  0.5\n", figure]}
    kb.metrics.save_html_report(path, report, "A & B", sections=sections)
    page = Page(path.read_text(encoding="utf-8"))
    assert "A & B" in page.text
    assert "Why <this>" in page.text
    assert len(page.sources) == 2


def test_a_history_without_epochs_counts_from_one(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        html_report.plots,
        "class_curves",
        lambda curves, epochs, names: drawn.append([*epochs]) or Figure(),
    )
    report = kb.metrics.class_report([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    scores = [f"{score}_{label}" for score in ("recall", "f1") for label in (0, 1)]
    history = {key: [0.5, 0.7, 0.6] for key in scores}
    html_report.report_parts(report, history=history)
    assert drawn == [[1, 2, 3]] * 2


def browser():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.mark.slow
@pytest.mark.skipif(browser() is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [500, 1200])
def test_a_browser_shows_it(tmp_path, width):
    write(tmp_path, *held_out())
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command = [
        browser(),
        *options,
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={width},2500",
        f"--screenshot={tmp_path / 'page.png'}",
        "--dump-dom",
        f"file://{tmp_path / 'report.html'}",
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert "Most confident misses" in done.stdout.decode()
    from matplotlib.image import imread

    picture = imread(tmp_path / "page.png")
    assert picture.shape[1] == width
    assert picture.std() > 0.05
