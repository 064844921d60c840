"""What one epoch holds: which image stands where, real or synthetic."""

import dataclasses

import numpy as np

from keras_balance.data.sources import ArraySource, store
from keras_balance.data.strategies import split_by_shares
from keras_balance.data.synthesis.makers import (
    NOTHING,
    check_tells_rows,
    synthesize,
)
from keras_balance.utils.seeds import derive_seed, random_generator

# Places of randomness within an epoch.
_ORDER, _REPEAT, _POOL = range(3)


@dataclasses.dataclass(frozen=True)
class Plan:
    """One epoch, ready to be read batch by batch.

    Positions below the number of real images are these; the synthetic ones follow.

    Attributes:
        epoch: Number of the epoch.
        order: Positions in the order of the epoch.
        rows: Row behind each synthetic position: a real image's, or beyond these one
            of the pool.
        pool: Source of the synthetic images that are made, or None.
        parents: Row of the real image that each one of the pool was made from; None
            where nobody asked, or the pool is empty.
    """

    epoch: int
    order: np.ndarray
    rows: np.ndarray
    pool: ArraySource | None
    parents: np.ndarray | None = None

    def real_rows(self, rows, num_real):
        """Rows of the real images that those of rows are, or were made from."""
        if self.parents is None:
            return rows
        is_made = rows >= num_real
        return np.where(is_made, self.parents[(rows - num_real) * is_made], rows)


class Planner:
    """Makes the plan of any epoch, as a pure function of seed and epoch.

    Args:
        images: `LabelledImages`.
        shortfall: int array `(num_classes,)`, synthetic images per class.
        parts: List of `(maker, share)`; the maker None repeats real images, and
            `NOTHING` leaves its share out.
        shuffle: Whether the order is drawn; else it is that of the positions.
        seed: Integer.
        refresh: Epochs after which made images are made anew; 0 for never.

    Raises:
        ValueError: When other entries come along with the images, and a maker does not
            tell which image it makes another one from.
    """

    def __init__(self, images, shortfall, parts, shuffle, seed, refresh):
        if images.has_companions:
            check_tells_rows(parts)
        self.images, self.shuffle, self.seed = images, shuffle, seed
        self.refresh = int(refresh)
        counts = split_by_shares(shortfall, [share for _, share in parts])
        classes = np.arange(len(shortfall), dtype=np.min_scalar_type(len(shortfall)))
        self._parts = [
            (maker, np.repeat(classes, 0 if maker is NOTHING else part_counts))
            for (maker, _), part_counts in zip(parts, counts, strict=True)
        ]
        self.synthetic_classes = np.concatenate([part for _, part in self._parts])
        self._pool_number, self._pool = None, None

    def plan(self, epoch):
        """Make the plan of an epoch; made images are kept until they are due."""
        size = len(self.images) + len(self.synthetic_classes)
        order = np.arange(size, dtype="int32" if size < 2**31 else "int64")
        if self.shuffle:
            random_generator(self.seed, epoch, _ORDER).shuffle(order)
        generator = random_generator(self.seed, epoch, _REPEAT)
        rows, next_row = [], len(self.images)
        for maker, labels in self._parts:
            if maker is None:
                rows.append(self.images.draw(labels, generator))
            else:
                rows.append(np.arange(next_row, next_row + len(labels)))
                next_row += len(labels)
        rows = np.concatenate(rows).astype(order.dtype)
        pool = self._pool_of(epoch, next_row)
        return Plan(epoch, order, rows, pool, self._parents_of(epoch, pool))

    def _number(self, epoch):
        """Give the number of the pool that an epoch reads."""
        return epoch // self.refresh if self.refresh else 0

    def _pool_of(self, epoch, end):
        number = self._number(epoch)
        if end == len(self.images):
            return None
        if number != self._pool_number:
            self._pool_number = self._pool = None  # frees the images before
            shape = (end - len(self.images), *self.images.image_shape)
            self._pool = store(self._make("generate", number), shape, self._pool_dtype)
            self._pool_number = number
        return self._pool

    def _parents_of(self, epoch, pool):
        if pool is None or not self.images.has_companions:
            return None
        return np.concatenate(list(self._make("rows", self._number(epoch))))

    def _make(self, what, number):
        """Yield images of the makers, or the rows that these are made from."""
        for place, (maker, labels) in enumerate(self._parts):
            if maker is not None and maker is not NOTHING:
                seed = derive_seed(self.seed, number, _POOL, place)
                shape = self.images.image_shape
                yield from synthesize(getattr(maker, what), labels, shape, seed)

    @property
    def _pool_dtype(self):
        # As precise as the real images, and as small.
        dtype = self.images.source.dtype
        return dtype if dtype.kind in "iu" else np.dtype("float32")
