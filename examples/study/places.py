"""Where the study's figures, pages and pictures are kept."""

import pathlib

SCRIPTS = pathlib.Path(__file__).parents[1]
RESULTS = SCRIPTS / "results"
ROOT = SCRIPTS.parent
DOCS = ROOT / "docs" / "results"  # pages and pictures
GALLERY = ROOT / "docs" / "gallery"
