"""CIFAR-10-LT and STEP-100 with ResNet-32: the field's own tables.

    cd examples
    KERAS_BACKEND=jax python -m study.long_tail --path cifar10.zip --out lines --pilot

Long tail: 5,000 images of the first class, 50 of the last, each class 0.6 of the one
before, 12,406 in all. Step: five classes of 5,000 and five of 50. 200 epochs of these
images in batches of 128, SGD with momentum, the last epoch's network on all 10,000 test
images. `--pilot` first compares the candidates in shorter trainings, on images of the
training file: a tail from 4,500 to 45, 500 others of each class to validate on (most of
them lie outside the tail of the table). The best stands for the recipe "chosen".

Each finished cell is a line of `--out`, with another for its logits less the log of the
shares (`tau 1`) where the loss was not adjusted; what is there is not trained again.
On JAX no training is begun that would not end within `--budget` seconds. On torch, the
faster way on a CPU, a training that is stopped goes on from its last hundred steps; its
seconds are then those since.
"""

import dataclasses
import time

import keras
import numpy as np

import keras_balance as kb
from study import cifar
from study.feeds import Feed, OutOfTime, Recipe, Schedule
from study.lines import Lines, recalls, scores
from study.networks import resnet32

STEP_COUNTS = [5000] * 5 + [50] * 5
TABLES = {"lt100": cifar.long_tail(5000, 50), "step100": STEP_COUNTS}
PILOT_COUNTS = cifar.long_tail(4500, 45)
VALIDATION_FIRST = [4500] * 5 + [1000] * 5

# Shares of the images through crop and flip, colours and an erased square too, and a
# rotation and zoom before that.
CROP, PHOTO, BOTH = (1.0, 0, 0), (0, 1.0, 0), (0, 0.5, 0.5)
MIXUP, CUTMIX = kb.data.Mix("mixup"), kb.data.Mix("cutmix")
EVENLY = kb.data.Mix("mixup", partner="uniform")
ALL = kb.data.Mix("mixup", rate=1.0, partner="uniform")
# Of the table's 200 epochs.
UNTIL_LAST = dataclasses.replace(ALL, until_epoch=199)
RECIPES = {
    "cross-entropy": Recipe(layers=CROP),
    "adjusted loss": Recipe(tau=1.0, layers=CROP),
    "mixup on all": Recipe(tau=1.0, layers=(0.5, 0.5, 0), mix=ALL),
    "mixup on all crops": Recipe(layers=CROP, mix=ALL),
    "mixup, a whole last epoch": Recipe(layers=CROP, mix=UNTIL_LAST),
    "photo": Recipe(tau=1.0, layers=PHOTO),
    "photo, mixup evenly": Recipe(tau=1.0, layers=PHOTO, mix=EVENLY),
    "photo, cutmix": Recipe(tau=1.0, layers=PHOTO, mix=CUTMIX),
    "photo, root, cutmix": Recipe("sqrt", 1.0, PHOTO, CUTMIX),
    "both": Recipe(tau=1.0, layers=BOTH),
    "both, mixup": Recipe(tau=1.0, layers=BOTH, mix=MIXUP),
    "both, cutmix": Recipe(tau=1.0, layers=BOTH, mix=CUTMIX),
}
CANDIDATES = [name for name in RECIPES if name.startswith(("photo", "both"))]


def main():
    options = read_options()
    deadline = time.monotonic() + options.budget
    data = cifar.load(options.path)
    try:
        for width in options.widths:
            study = Study(data, width, options, deadline)
            if options.pilot:
                study.pilot()
            for table in options.tables:
                for recipe in options.recipes:
                    study.table(table, recipe)
    except OutOfTime as stop:
        print(f"stopped: {stop}", flush=True)


def read_options():
    parser = cifar.parser(__doc__)
    parser.add_argument("--tables", nargs="*", default=["lt100"], choices=TABLES)
    parser.add_argument("--widths", nargs="*", type=int, default=[16])
    parser.add_argument(
        "--recipes",
        nargs="*",
        default=["chosen", "cross-entropy"],
        choices=["chosen", *RECIPES],
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=float, default=200)
    parser.add_argument("--pilot", action="store_true")
    parser.add_argument("--pilot-epochs", type=float, default=60)
    parser.add_argument("--chunk", type=int, default=100, help="steps of one call")
    parser.add_argument("--blocks", type=int, default=5, help="5 is ResNet-32")
    parser.add_argument("--dtype", default="mixed_bfloat16")
    return parser.parse_args()


def augmentations():
    """Crop and flip, that and colours and a square, both behind rotation and zoom."""
    photo = {"colour_factor": 0.4, "erase_factor": 0.5, "dtype": "float32"}
    turn = kb.layers.ManualAugmentation(0.06, 0.2, 0.0, seed=0, dtype="float32")
    return [
        kb.layers.PhotoAugmentation(
            colour_factor=0, erase_factor=0, seed=1, dtype="float32"
        ),
        kb.layers.PhotoAugmentation(**photo, seed=2),
        keras.Sequential([turn, kb.layers.PhotoAugmentation(**photo, seed=3)]),
    ]


def training(data, width, options):
    """One program on JAX; on torch a loop that goes on where it was stopped."""
    settings = {
        "build": lambda dtype: resnet32(width, dtype=dtype, blocks=options.blocks),
        "optimizer": keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "images": data.images,
        "labels": data.labels,
        "augmentations": augmentations(),
        "dtype": options.dtype,
        "steps": options.chunk,
    }
    if keras.backend.backend() == "torch":
        from study.looped import LoopedTraining

        if options.replicas != 1:
            raise ValueError(
                "torch trains one network at a time. "
                f"Received: --replicas {options.replicas}"
            )
        return LoopedTraining(**settings, keep=options.out / "training.npz")
    from study.compiled import CompiledTraining

    return CompiledTraining(**settings, replicas=options.replicas)


class Study:
    """The cells of one width."""

    def __init__(self, data, width, options, deadline):
        self.data, self.width, self.options = data, width, options
        self.deadline = deadline
        self.training = training(data, width, options)
        key = ["table", "width", "recipe", "seed", "epochs"]
        self.cells = Lines(options.out / "long_tail.jsonl", key)
        self.pilots = Lines(options.out / "pilot.jsonl", ["width", "recipe", "epochs"])

    def pilot(self):
        """Each candidate once, on images of the training file alone."""
        training = self.data.training(PILOT_COUNTS)
        test = self.data.training([500] * 10, VALIDATION_FIRST)[0]
        epochs = self.options.pilot_epochs
        head = {"width": self.width, "epochs": epochs, "seed": 0}
        cells = [{"recipe": recipe, **head} for recipe in CANDIDATES]
        self._run(cells, self.pilots, training, test)

    def chosen(self):
        """The candidate that was best in the longest pilot of the narrowest network."""
        if not self.pilots.cells:
            raise ValueError('"chosen" must come after --pilot. Received: no pilot')
        best = max(
            self.pilots.cells,
            key=lambda cell: (-cell["width"], cell["epochs"], cell["accuracy"]),
        )
        return best["recipe"]

    def table(self, table, recipe):
        """All seeds of one recipe in one table."""
        if recipe == "chosen":
            recipe = self.chosen()
        head = {"table": table, "width": self.width, "recipe": recipe}
        head["epochs"] = self.options.epochs
        cells = [{**head, "seed": seed} for seed in range(self.options.seeds)]
        training = self.data.training(TABLES[table])
        self._run(cells, self.cells, training, self.data.test)

    def _run(self, cells, lines, training, test):
        missing = [cell for cell in cells if cell not in lines]
        replicas = self.options.replicas
        for first in range(0, len(missing), replicas):
            group = missing[first : first + replicas]
            for cell in self._train(group, training, test):
                lines.add(cell)

    def _train(self, cells, training, test):
        start = time.monotonic()
        schedule = self._schedule(len(training[0]), cells[0]["epochs"])
        feeds = [
            Feed(*training, 10, RECIPES[cell["recipe"]], schedule, cell["seed"])
            for cell in cells
        ]
        padding = self.options.replicas - len(cells)
        feeds += feeds[:1] * padding
        seeds = [cell["seed"] for cell in cells] + [0] * padding
        state, loss = self.training.train(feeds, seeds, self.deadline)
        logits = self.training.predict(state, [test] * len(seeds))
        seconds = (time.monotonic() - start) / len(cells)
        y = self.data.labels[test]
        for place, cell in enumerate(cells):
            for way, decided in _ways(logits[place], feeds[place]).items():
                yield {
                    **cell,
                    "recipe": f"{cell['recipe']}{way}",
                    **scores(y, decided),
                    "recalls": recalls(y, decided),
                    "loss": round(float(loss.ravel()[place]), 4),
                    "steps": schedule.steps,
                    "seconds": round(seconds, 1),
                    "device": self.training.device,
                }

    def _schedule(self, images, epochs):
        chunk = self.options.chunk
        steps = -(-int(epochs * images / 128) // chunk) * chunk
        warmup = int(5 * images / 128)
        return Schedule(steps, 0.1, min(warmup, steps // 10), weight_decay=5e-4)


def _ways(logits, feed):
    """Logits by each way to decide: adjusted where the loss was not, and as trained.

    What is asked for, the cell as trained, comes last: then all of it is written.
    """
    if feed.recipe["offset"].any():
        return {"": logits}
    return {", tau 1": logits - np.log(feed.shown), "": logits}


if __name__ == "__main__":
    main()
