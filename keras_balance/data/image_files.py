"""Image files as an array that is read when it is indexed."""

import numpy as np

from keras_balance.utils.images import BROKEN_PICTURE

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
# Keras' name of an interpolation: Pillow's.
FILTERS = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "area": "BOX",
    "lanczos3": "LANCZOS",
}
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}


class ImageFiles:
    """Image files as an array `(n, height, width, channels)`, read lazily.

    Grey pictures of 16 bits are brought to 8 by their upper byte, as TensorFlow's
    decoder does; as uint16, they stay as they are, and pictures of 8 bits are brought
    to 16.

    Args:
        paths: NumPy array of the paths.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        image_size: `(height, width)`.
        interpolation: See `balanced_image_dataset_from_directory`.
        crop_to_aspect_ratio: Whether to crop instead of distorting.
        pad_to_aspect_ratio: Whether to pad instead of distorting.
        data_format: `"channels_last"` or `"channels_first"`.
        dtype: `"uint8"` or `"uint16"`.
    """

    def __init__(
        self,
        paths,
        color_mode="rgb",
        image_size=(256, 256),
        interpolation="bilinear",
        crop_to_aspect_ratio=False,
        pad_to_aspect_ratio=False,
        data_format="channels_last",
        dtype="uint8",
    ):
        self.paths = paths
        self.color_mode = color_mode
        self.image_size = image_size
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.data_format = data_format
        self.dtype = np.dtype(dtype)

    @property
    def shape(self):
        """Shape of all images together."""
        channels = CHANNELS[self.color_mode]
        if self.data_format == "channels_first":
            return (len(self.paths), channels, *self.image_size)
        return (len(self.paths), *self.image_size, channels)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, rows):
        paths = self.paths[rows]
        if isinstance(paths, str):
            return self.read(paths)
        return np.stack([self.read(path) for path in paths])

    def read(self, path):
        """Read the image of one file.

        Raises:
            OSError: When it cannot be read; it is named.
        """
        from PIL import Image

        path = str(path)  # Pillow's messages show a NumPy string for one
        try:
            with Image.open(path) as file:
                pixels = self._pixels(file)
        except (*BROKEN_PICTURE, Image.DecompressionBombError) as error:
            raise OSError(f"No image could be read from {path}: {error}") from error
        return pixels.transpose(2, 0, 1) if self._channels_first else pixels

    @property
    def _channels_first(self):
        return self.data_format == "channels_first"

    def _pixels(self, file):
        """Pixels `(height, width, channels)` of an open file."""
        from PIL import Image

        _check_depth(file)
        is_deep = file.mode.startswith("I")  # 16 bits, which `convert` would cut off
        if self.dtype == np.uint16:
            return self._deep_pixels(file, is_deep)
        if is_deep:
            file = Image.fromarray((np.asarray(file) >> 8).astype("uint8"))
        image = self._resize(file.convert(_MODES[self.color_mode]))
        return _with_channels(np.asarray(image, "uint8"))

    def _deep_pixels(self, file, is_deep):
        from PIL import Image

        if not is_deep:
            file = file.convert(_MODES[self.color_mode])
        # Pillow resizes more than 8 bits as floats, one channel at a time.
        planes = _with_channels(np.asarray(file, "float32") * (1 if is_deep else 257))
        planes = np.stack(
            [
                np.asarray(self._resize(Image.fromarray(planes[..., place])))
                for place in range(planes.shape[-1])
            ],
            axis=-1,
        )
        if is_deep and self.color_mode != "grayscale":
            planes = np.repeat(planes, 3, axis=-1)
            if self.color_mode == "rgba":
                opaque = np.full_like(planes[..., :1], 65535)
                planes = np.concatenate([planes, opaque], axis=-1)
        return np.clip(np.rint(planes), 0, 65535).astype("uint16")

    def _resize(self, image):
        from PIL import Image, ImageOps

        size = (self.image_size[1], self.image_size[0])
        method = Image.Resampling[FILTERS[self.interpolation]]
        if image.size == size:
            return image
        if self.crop_to_aspect_ratio:
            return ImageOps.fit(image, size, method)
        if self.pad_to_aspect_ratio:
            return ImageOps.pad(image, size, method)
        return image.resize(size, method)


def _check_depth(file):
    """Raise an `OSError` for pixels that 16 bits cannot hold as they are."""
    low, high = file.getextrema() if file.mode == "I" else (0, 0)
    if file.mode == "F" or low < 0 or high >= 2**16:
        raise OSError(f"its pixels must be of 8 or 16 bits. Received: mode {file.mode}")


def _with_channels(pixels):
    return pixels[..., None] if pixels.ndim == 2 else pixels
