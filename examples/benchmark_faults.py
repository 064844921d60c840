"""What breaks: kills in training, broken files, bad arguments, hostile models, memory.

    python examples/benchmark_faults.py
    python examples/benchmark_faults.py --kills 5 --files 20 --arguments 30

Trainings of a classifier on a `BalancedDataset` and of a BAGAN are killed with
SIGKILL at random moments, and while they write a backup, and started again in a fresh
process until they end: their weights must then be those of a training that nobody
killed, bit for bit. Data, model and backup files are truncated, changed and exchanged:
each must be refused with a ValueError, TypeError or OSError that names it, unless what
comes out is the same. Bad arguments must be refused by name; code in model files must
not run; data as they come (one sigmoid output, channels first, half precision, no end)
must give what is right or be refused; twenty epochs more must not take more memory.
Prints survived / tried and what was said. Ends with status 1 if anything is not full
marks. For CPUs, on POSIX.
"""

import argparse
import collections
import hashlib
import os
import pathlib
import random
import re
import select
import signal
import sys
import tempfile
import time
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import fault_arguments
import fault_cases
import keras
import numpy as np
from fault_data import CASES, data_as_they_come

import keras_balance as kb

SHAPE, COUNTS = (8, 8, 1), (30, 20, 6)
EPOCHS = {"classifier": 6, "BAGAN": 6}
KINDS = list(EPOCHS)
KILLS_A_TRAINING = 5


def images():
    """A few noisy images of three classes."""
    y = np.repeat(np.arange(len(COUNTS)), COUNTS)
    noise = np.random.default_rng(0).normal(0, 20, (len(y), *SHAPE))
    return np.clip(60 + 60 * y[:, None, None, None] + noise, 0, 255).astype("uint8"), y


class Tell(keras.callbacks.Callback):
    """Tells the parent process where training is."""

    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        os.write(self.pipe, f"epoch {self.epoch}\n".encode())


def classifier():
    """A classifier with dropout and augmentation, compiled."""
    layers = [
        keras.Input(SHAPE),
        kb.layers.ManualAugmentation(seed=1),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2, seed=2),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    return model


def small_bagan(candidates):
    """A BAGAN of two dense networks, compiled; it computes little."""
    dense = partial(
        keras.layers.Dense, kernel_initializer=keras.initializers.GlorotUniform(seed=4)
    )
    encoder = [keras.Input(SHAPE), keras.layers.Flatten(), dense(3)]
    decoder = [keras.Input((3,)), dense(64, "tanh"), keras.layers.Reshape(SHAPE)]
    bagan = kb.models.BAGAN(
        SHAPE,
        num_classes=len(COUNTS),
        latent_dim=3,
        encoder=keras.Sequential(encoder),
        decoder=keras.Sequential(decoder),
        candidates=candidates,
        seed=1,
    )
    bagan.compile(run_eagerly=True)
    return bagan


def train(kind, folder, pipe):
    """What the script of a user does: the same, whether it was killed before or not."""
    keras.utils.set_random_seed(7)
    data = kb.BalancedDataset(*images(), batch_size=30, synthesizer="manual", seed=3)
    path = folder / "backup"
    if kind == "classifier":
        model, backup = classifier(), kb.callbacks.ResumableBackup(path, data)
        phases = {"epochs": EPOCHS[kind]}
    else:
        model = small_bagan(candidates=2)
        backup = kb.callbacks.ResumableBackup(path)
        phases = {"autoencoder_epochs": EPOCHS[kind] // 2, "epochs": EPOCHS[kind] // 2}
    os.write(pipe, b"begins\n")
    callbacks = [backup, Tell(pipe)]
    model.fit(
        data, initial_epoch=backup.epoch, callbacks=callbacks, verbose=0, **phases
    )
    state = hashlib.sha256()
    for variable in [*model.variables, *model.optimizer.variables]:
        state.update(keras.ops.convert_to_numpy(variable).tobytes())
    os.write(pipe, f"ends {state.hexdigest()}\n".encode())


class Child:
    """A process in which Keras is imported and nothing has been done with it yet."""

    def __init__(self, function, *arguments):
        self.reading, writing = os.pipe()
        self.said, self.begun = "", time.monotonic()
        self.number = os.fork()
        if self.number == 0:
            status = 1
            try:
                os.close(self.reading)
                function(*arguments, writing)
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(writing)

    def listen(self, seconds):
        """Hear what it says for a while; tell whether it is still there."""
        if select.select([self.reading], [], [], max(seconds, 0))[0]:
            heard = os.read(self.reading, 65536).decode()
            self.said += heard
            return bool(heard)
        return True

    def end(self, how=None):
        """Wait for its end, and bring it about if told how."""
        if how is not None:
            os.kill(self.number, how)
        while self.listen(600):
            pass
        os.close(self.reading)
        return os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])


def kill_at_random(child, seconds, generator):
    """Kill within the time that a whole training takes; tell whether it was there."""
    while "begins" not in child.said and child.listen(60):
        pass
    until = time.monotonic() + generator.uniform(0, seconds)
    while time.monotonic() < until:
        if not child.listen(until - time.monotonic()):
            break
    return child.end(signal.SIGKILL) == -signal.SIGKILL


def kill_while_writing(child, folder, generator):
    """Kill as soon as a backup is begun, the first or one of the next."""
    spare, seen = generator.randrange(3), set()
    while child.listen(0.0005):  # without taking the child's processor time
        writing = {name for name in os.listdir(folder) if name.startswith(".")}
        if writing - seen and len(seen) >= spare:
            break
        seen |= writing
    return child.end(signal.SIGKILL) == -signal.SIGKILL


def whole(kind):
    """Weights of a training that nobody kills, and the seconds it takes."""
    with tempfile.TemporaryDirectory() as folder:
        child = Child(train, kind, pathlib.Path(folder))
        child.end()
        if "ends" not in child.said:
            raise SystemExit(f"The training of a {kind} failed without any kill.")
        return child.said.split()[-1], time.monotonic() - child.begun


def kills(number, generator):
    """Kill and resume until there were enough kills; survived, tried and what was."""
    expected = {kind: whole(kind) for kind in KINDS}
    marks, places = collections.Counter(), collections.Counter()
    while sum(places.values()) < number:
        kind = KINDS[marks["runs"] % len(KINDS)]
        marks["runs"] += 1
        with tempfile.TemporaryDirectory() as name:
            folder, own = pathlib.Path(name), collections.Counter()
            room = min(KILLS_A_TRAINING, number - sum(places.values()))
            while sum(own.values()) < room:
                child = Child(train, kind, folder)
                if generator.random() < 0.3:
                    way, killed = (
                        "writing",
                        kill_while_writing(child, folder, generator),
                    )
                else:
                    seconds = expected[kind][1]
                    way, killed = "anywhere", kill_at_random(child, seconds, generator)
                if not killed:
                    break
                epoch = [0, *re.findall(r"epoch (\d+)", child.said)][-1]
                phase = 1 + (int(epoch) >= EPOCHS[kind] // 2)
                part = f"{kind}, phase {phase}" if kind == "BAGAN" else kind
                own[f"{part}, {way}"] += 1
                progress("kills", sum(places.values()) + sum(own.values()), number)
            child = Child(train, kind, folder)
            child.end()
            equal = child.said.split()[-1:] == [expected[kind][0]]
            tidy = os.listdir(folder) == ["backup"]
            marks["survived"] += sum(own.values()) if equal and tidy else 0
            places += own
            if not (equal and tidy):
                print(f"\n  {kind}: equal={equal}, left {os.listdir(folder)}")
    tried = sum(places.values())
    return marks["survived"], tried, [f"{n} {place}" for place, n in places.items()]


def cases(name, number, tries):
    """Run cases that give None, or what they have against the outcome."""
    said, survived, tried = collections.Counter(), 0, 0
    for tried, (case, run) in enumerate(tries, start=1):
        fault, words = run()
        survived += fault is None
        said[words] += 1
        if fault:
            print(f"\n  {case}: {fault}")
        progress(name, tried, number)
    return survived, tried, [f"{n} {words}" for words, n in said.most_common()]


def resident():
    """Memory of this process, in MiB."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def feed_twenty_epochs(pipe):
    """Train on a BAGAN's images, made anew each epoch; tell memory before and after."""
    x, y = images()
    bagan = small_bagan(candidates=0)
    bagan.fit(x, y, autoencoder_epochs=1, epochs=0, verbose=0)
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = kb.BalancedDataset(x, y, batch_size=10, synthesizer=bagan, seed=0)
    model.fit(data, epochs=10, verbose=0)
    before = resident()
    model.fit(data, epochs=20, verbose=0)
    os.write(pipe, f"{before} {resident()}\n".encode())


def memory():
    """Whether twenty epochs more take less than 1 % more memory."""
    child = Child(feed_twenty_epochs)
    child.end()
    before, after = map(float, child.said.split())
    growth = after / before - 1
    text = f"{before:.0f} MiB, {100 * growth:+.2f} % over 20 epochs"
    return int(growth < 0.01), 1, [text]


def progress(name, done, number):
    print(f"\r{name}: {done} of {number}", end="", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--files", type=int, default=150)
    parser.add_argument("--arguments", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-memory", action="store_true", help="leave memory out")
    options = parser.parse_args()
    start, results = time.monotonic(), {}
    # First what forks: a process that has computed something cannot be copied.
    results["kills in training"] = kills(options.kills, random.Random(options.seed))
    if not options.no_memory:
        results["memory over 20 epochs"] = memory()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for title, number, tries in [
            ("corrupted files", options.files, fault_cases.broken_files),
            ("bad arguments", options.arguments, fault_arguments.bad_arguments),
            ("hostile model files", 5, fault_cases.hostile_models),
            ("data as they come", len(CASES), data_as_they_come),
        ]:
            generator = np.random.default_rng(options.seed)
            results[title] = cases(title, number, tries(number, generator, folder))
    print(f"\r{keras.backend.backend()}, {time.monotonic() - start:.0f} s")
    for title, (survived, tried, said) in results.items():
        print(f"{title}: {survived} / {tried}")
        print("".join(f"    {line}\n" for line in said), end="")
    sys.exit(any(survived < tried for survived, tried, _ in results.values()))


if __name__ == "__main__":
    main()
