"""A search over several processes, and one that is killed and started again."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

pytestmark = [
    pytest.mark.slow,  # test_resumable.py has the short form, in one process
    # keras-tuner calls what `threading` has long deprecated.
    pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning"),
]

LIMIT = 300


@contextlib.contextmanager
def running(script, directory, trials, **environment):
    """Run the small search in a process of its own, which is gone at the end."""
    process = subprocess.Popen(
        [sys.executable, str(script), str(directory), str(trials)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def trials_in(directory):
    """The trials' files of a search, which are always whole."""
    paths = sorted(directory.glob("untitled_project/trial_*/trial.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in paths}


def completed(directory):
    trials = trials_in(directory)
    return {name for name, trial in trials.items() if trial["status"] == "COMPLETED"}


def test_two_workers_share_a_search(small, tmp_path):
    address = {
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": free_port(),
    }

    def start(name):
        return running(small.script, tmp_path, 4, KERASTUNER_TUNER_ID=name, **address)

    with start("chief"), start("worker0") as first, start("worker1") as second:
        # The chief goes on for up to 20 seconds when all is done: not awaited.
        outputs = [worker.communicate(timeout=LIMIT)[0] for worker in (first, second)]
    assert [output.splitlines()[-1] for output in outputs] == ["done", "done"], outputs
    trials = trials_in(tmp_path)
    assert completed(tmp_path) == set(trials)
    assert len(trials) == 4
    # The chief chose for both: the defaults first, and nothing twice.
    values = [trial["hyperparameters"]["values"] for trial in trials.values()]
    assert values[0]["synthesizer"] == "manual"
    assert values[0]["rotation_factor"] == 0.05
    assert len({json.dumps(one, sort_keys=True) for one in values}) == 4


def test_killed_and_started_again_it_goes_on(small, hypermodel, tmp_path):
    with running(small.script, tmp_path, 50) as process:
        end = time.monotonic() + LIMIT
        while len(trials_in(tmp_path)) < 3:
            assert process.poll() is None, process.communicate()[0][-2000:]
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before, done = trials_in(tmp_path), completed(tmp_path)
    searched = hypermodel(search_space={"synthesizer": ["repeat", "manual"]})
    built, build = [], searched.build_classifier
    searched.build_classifier = lambda hp: built.append(hp) or build(hp)
    small.search(searched, tmp_path, max_trials=len(before) + 1)
    after = trials_in(tmp_path)
    assert len(after) == len(before) + 1
    assert completed(tmp_path) == set(after)
    # What was done stays as it was; only the one cut short and a new one ran.
    assert {name: after[name] for name in done} == {n: before[n] for n in done}
    # Once for the tuner to see its space is not needed: it is in the folder.
    assert len(built) == len(after) - len(done)
