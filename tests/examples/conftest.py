"""Scripts find the study's library beside them: so do their tests."""

import pathlib
import sys

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"

sys.path.insert(0, str(EXAMPLES))
