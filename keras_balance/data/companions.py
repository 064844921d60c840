"""What comes along with the images: other inputs, or labels of other outputs."""

from keras_balance.data.sources import open_rows


class Companions:
    """The other entries of a dict or a list, one row an image.

    Args:
        entries: Dict or list of array-likes `(n, ...)`.
        key: Name, or place in the list, of the entry that they come along with.
        name: What the entries are called in errors.

    Raises:
        ValueError: For entries of another length.
    """

    def __init__(self, entries, key, name):
        self.key = key
        self.names = list(_items(entries))
        self._is_dict = isinstance(entries, dict)
        number = len(_items(entries)[key])
        self._sources = {
            other: open_rows(rows)
            for other, rows in _items(entries).items()
            if other != key
        }
        for other, source in self._sources.items():
            if len(source) != number:
                raise ValueError(
                    f"The entries of `{name}` must have the same length. Received: "
                    f"{number} of {key!r} and {len(source)} of {other!r}"
                )

    @property
    def others(self):
        """Names of the entries that come along."""
        return list(self._sources)

    def join(self, main, rows):
        """Put a batch together.

        Args:
            main: The batch's images, or its labels to balance by.
            rows: The images' rows, int array.

        Returns:
            A dict as the first one was, or a tuple where that was a list, since
            TensorFlow would make one tensor of a list.
        """
        batch = {
            name: main if name == self.key else self._sources[name].take(rows)
            for name in self.names
        }
        return batch if self._is_dict else tuple(batch.values())


def pick(entries, key, argument, name):
    """Pick the entry of a dict or list that holds the images, or the labels.

    Args:
        entries: Dict, list or tuple; or one array, which is picked itself.
        key: Name or place of the entry, None for an array.
        argument: What `key` is called in errors.
        name: What `entries` are called there.

    Raises:
        ValueError: When `key` is missing, needless or not there.
    """
    if not _has_entries(entries, key):
        if key is None:
            return entries
        raise ValueError(
            f"`{argument}` must be None where `{name}` is no dict or list. "
            f"Received: {argument}={key!r}"
        )
    items = _items(entries)
    if key not in items:
        raise ValueError(
            f"`{argument}` must name one of the entries of `{name}`, {list(items)}. "
            f"Received: {argument}={key!r}"
        )
    return items[key]


def split(entries, key, argument, name):
    """Give what `pick` does, and its `Companions`, None for those of an array."""
    picked = pick(entries, key, argument, name)
    is_alone = not _has_entries(entries, key)
    return picked, None if is_alone else Companions(entries, key, name)


def _has_entries(entries, key):
    # Without a key, a list is an array: one of numbers, such as a one-hot label.
    is_list = isinstance(entries, (list, tuple)) and key is not None
    return isinstance(entries, dict) or is_list


def _items(entries):
    return entries if isinstance(entries, dict) else dict(enumerate(entries))
