"""Twelve photographs of a class among 240 of each other: CIFAR-10, rows of the study.

    cd examples
    KERAS_BACKEND=jax python -m study.photographs --path cifar10.zip --out lines

Ten draws of ship, cat, automobile and frog as the rare class; the paper's ConvNet for
1,140 steps and ResNet-32 for 1,500, batches of 128; the whole test set of 10,000. Arms,
steps and draws stand here and were fixed before a figure of the test set was seen. A
draw's arms share images and initial weights, so that differences are paired.

"post hoc" subtracts tau * log(share of the class in what was fed) from the logits of
the trained network: at 1, and at the tau of least log-loss, every class weighing the
same, on training images left out in five folds.

Each finished cell is a line of `--out`. Draws come one after the other, all classes and
arms of one before the next: what the time leaves out is left out of all arms.
"""

import time

import keras
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

import keras_balance as kb
from study import cifar
from study.compiled import CompiledTraining
from study.feeds import Feed, OutOfTime, Recipe, Schedule
from study.lines import Lines, scores
from study.networks import convnet, resnet32

PER_CLASS, RARE_IMAGES, POOL = 240, 12, 1500
RARE = ("ship", "cat", "automobile", "frog")
FOLDS = 5
CROP, PHOTO = (1.0, 0.0), (0.0, 1.0)
MIXUP, CUTMIX = kb.data.Mix("mixup"), kb.data.Mix("cutmix")
ARMS = {
    "balanced": Recipe(),
    "balanced, crop": Recipe(layers=CROP),
    "balanced, photo": Recipe(layers=PHOTO),
    "imbalanced": Recipe(),
    "imbalanced, crop": Recipe(layers=CROP),
    "class weights": Recipe(class_weights=True),
    "focal": Recipe(gamma=2.0),
    "oversampling": Recipe("balanced"),
    "oversampling, crop": Recipe("balanced", layers=CROP),
    "oversampling, photo": Recipe("balanced", layers=PHOTO),
    "adjusted loss, crop": Recipe(tau=1.0, layers=CROP),
    "root, loss 0.5, crop": Recipe("sqrt", 0.5, CROP),
    "root, loss 0.5, photo": Recipe("sqrt", 0.5, PHOTO),
    "root, loss 0.5, crop, cutmix": Recipe("sqrt", 0.5, CROP, CUTMIX),
    "mixup, adjusted loss, crop": Recipe(tau=1.0, layers=CROP, mix=MIXUP),
    "cutmix, adjusted loss, crop": Recipe(tau=1.0, layers=CROP, mix=CUTMIX),
    "oversampling, mixup, crop": Recipe("balanced", 0.0, CROP, MIXUP),
}
# Those whose tau is looked for, at the price of five more trainings.
FOUND = ("imbalanced", "root, loss 0.5, crop")
NETWORKS = {
    "convnet": (1140, 57, {"rate": 1.0, "cosine": False}),
    "resnet32": (1500, 100, {"rate": 0.1, "warmup": 100, "weight_decay": 5e-4}),
}


def main():
    options = read_options()
    deadline = time.monotonic() + options.budget
    data = cifar.load(options.path)
    try:
        Row(data, options.network, options, deadline).run()
    except OutOfTime as stop:
        print(f"stopped: {stop}", flush=True)


def read_options():
    parser = cifar.parser(__doc__)
    parser.add_argument("--network", choices=NETWORKS, default="convnet")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--rare", nargs="+", choices=cifar.CLASSES, default=RARE)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--found", nargs="*", choices=ARMS, default=list(FOUND))
    parser.add_argument("--steps", type=int, help="fewer, to try the script")
    return parser.parse_args()


def draw(data, number, rare):
    """Indices and classes of a draw, balanced and imbalanced: the first 12 are kept."""
    rng = np.random.default_rng([number, 2])
    taken = [rng.choice(one[:POOL], PER_CLASS, replace=False) for one in data.ranked]
    balanced = np.concatenate(taken)
    taken[rare] = taken[rare][:RARE_IMAGES]
    imbalanced = np.concatenate(taken)
    return [(one, data.labels[one]) for one in (balanced, imbalanced)]


class Row:
    """All cells of a network."""

    def __init__(self, data, network, options, deadline):
        self.data, self.network, self.options = data, network, options
        self.deadline = deadline
        steps, chunk, settings = NETWORKS[network]
        if options.steps:
            steps, chunk = options.steps, options.steps // 5
        self.schedule = Schedule(steps, **settings)
        if network == "convnet":
            dtype, optimizer = "float32", keras.optimizers.Adadelta(1.0)
        else:
            dtype = "mixed_bfloat16"
            optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
        crop = kb.layers.PhotoAugmentation(
            colour_factor=0, erase_factor=0, seed=1, dtype="float32"
        )
        photo = kb.layers.PhotoAugmentation(seed=2, dtype="float32")
        self.training = CompiledTraining(
            lambda dtype: resnet32(dtype=dtype) if network == "resnet32" else convnet(),
            optimizer,
            data.images,
            data.labels,
            [crop, photo],
            dtype=dtype,
            steps=chunk,
            replicas=options.replicas,
        )
        key = ["network", "rare", "draw", "arm", "steps"]
        self.cells = Lines(options.out / f"photographs_{network}.jsonl", key)

    def run(self):
        """Draw after draw, every class, every arm."""
        for number in range(self.options.draws):
            for rare in self.options.rare:
                self._draw(number, rare)

    def _draw(self, number, rare):
        label = cifar.CLASSES.index(rare)
        balanced, imbalanced = draw(self.data, number, label)
        head = {"network": self.network, "rare": rare, "draw": number}
        jobs = []
        for arm in self.options.arms:
            cell = {**head, "arm": arm, "steps": self.schedule.steps}
            if cell in self.cells:
                continue
            training = balanced if arm.startswith("balanced") else imbalanced
            jobs.append((cell, arm, *training, self.data.test))
            if arm in self.options.found:
                jobs += [(cell, arm, *fold) for fold in folds(*training, number)]
        self._train(jobs, number, label)

    def _train(self, jobs, seed, rare):
        """Train the jobs in groups; a cell is told when its last job is done."""
        size, results = self.options.replicas, []
        for first in range(0, len(jobs), size):
            group = jobs[first : first + size]
            start = time.monotonic()
            trained = self._train_group(group, seed)
            seconds = (time.monotonic() - start) / len(group)
            results += [(job, *one) for job, one in zip(group, trained, strict=True)]
            rest = [job[0] for job in jobs[first + size :]]
            while results and results[0][0][0] not in rest:
                cell = results[0][0][0]
                parts = [one for one in results if one[0][0] is cell]
                results = results[len(parts) :]
                self._tell(cell, parts, rare, seconds * len(parts))

    def _train_group(self, group, seed):
        feeds = [
            Feed(indices, labels, 10, ARMS[arm], self.schedule, seed)
            for _, arm, indices, labels, _ in group
        ]
        padded = feeds + feeds[:1] * (self.options.replicas - len(feeds))
        state, _ = self.training.train(padded, [seed] * len(padded), self.deadline)
        tests = [job[-1] for job in group]
        tests += tests[:1] * (len(padded) - len(tests))
        logits = self.training.predict(state, tests)
        return list(zip(logits, feeds, strict=False))

    def _tell(self, cell, parts, rare, seconds):
        (job, logits, feed), *left_out = parts
        y = self.data.labels[job[-1]]
        line = {**cell, **scores(y, logits, rare)}
        log_shares = np.log(feed.shown)
        line["post_hoc_1"] = scores(y, logits - log_shares, rare)
        if left_out:
            indices = np.concatenate([part[0][-1] for part in left_out])
            folded = np.concatenate([part[1] for part in left_out])
            tau = found_tau(folded, self.data.labels[indices], feed.shown)
            line["tau"] = round(tau, 3)
            line["post_hoc_found"] = scores(y, logits - tau * log_shares, rare)
        line |= {"seconds": round(seconds, 2), "device": self.training.device}
        self.cells.add(line)


def folds(indices, labels, seed):
    """Five parts of the images: the others to train on, one to predict."""
    order = np.random.default_rng([seed, 3]).permutation(len(indices))
    # Stratified: the places within each class are dealt out in turn.
    order = order[np.argsort(labels[order], kind="stable")]
    part = np.empty(len(indices), int)
    part[order] = np.arange(len(indices)) % FOLDS
    return [
        (indices[part != n], labels[part != n], indices[part == n])
        for n in range(FOLDS)
    ]


def found_tau(logits, labels, counts):
    """Strength of least log-loss on left-out images, all classes weighing the same."""
    weights = 1 / np.bincount(labels)[labels]
    rows = np.arange(len(labels))

    def loss(tau):
        adjusted = logits - tau * np.log(counts / counts.sum())
        log_shares = adjusted - logsumexp(adjusted, axis=-1, keepdims=True)
        return -(weights * log_shares[rows, labels]).sum()

    return float(minimize_scalar(loss, bounds=(0, 3), method="bounded").x)


if __name__ == "__main__":
    main()
