"""The real images by class, to draw from."""

import numpy as np


class RealImages:
    """The real images by class, to draw from.

    Args:
        source: Source of the images (see `sources`).
        indices: int array `(n,)`, class of every image.
        num_classes: Number of classes; each has an image.
    """

    def __init__(self, source, indices, num_classes):
        self.source = source
        self._by_class = np.argsort(indices, kind="stable").astype(
            np.min_scalar_type(len(indices))
        )
        self._borders = np.searchsorted(
            indices, np.arange(num_classes + 1), sorter=self._by_class
        )

    def __len__(self):
        return len(self._by_class)

    def rows_of(self, label):
        """Rows of all the images of one class."""
        return self._by_class[self._borders[label] : self._borders[label + 1]]

    def draw(self, labels, generator):
        """Rows of real images of the classes `labels` `(n,)`, drawn evenly.

        Within a class, each image comes as often as the others, give or take one.
        """
        rows = np.empty(len(labels), dtype=self._by_class.dtype)
        for label in np.unique(labels):
            wanted = np.flatnonzero(labels == label)
            members = self.rows_of(label)
            rounds, rest = divmod(len(wanted), len(members))
            rows[wanted] = np.concatenate(
                [np.tile(members, rounds), generator.permutation(members)[:rest]]
            )
        return rows
