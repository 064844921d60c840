"""Image files as an array that is read when it is indexed."""

import keras
import numpy as np

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
# Keras' name of an interpolation: Pillow's.
FILTERS = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "area": "BOX",
    "lanczos3": "LANCZOS",
}


class ImageFiles:
    """Image files as an array `(n, height, width, channels)` of uint8, read lazily.

    Args:
        paths: NumPy array of the paths.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        image_size: `(height, width)`.
        interpolation: See `balanced_image_dataset_from_directory`.
        crop_to_aspect_ratio: Whether to crop instead of distorting.
        pad_to_aspect_ratio: Whether to pad instead of distorting.
        data_format: `"channels_last"` or `"channels_first"`.
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
    ):
        self.paths = paths
        self.color_mode = color_mode
        self.image_size = image_size
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.data_format = data_format
        self.dtype = np.dtype("uint8")

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
            return self._read(paths)
        return np.stack([self._read(path) for path in paths])

    def _read(self, path):
        try:
            image = keras.utils.load_img(path, color_mode=self.color_mode)
        except OSError as error:
            raise OSError(f"No image could be read from {path}: {error}") from error
        return keras.utils.img_to_array(
            self._resize(image), data_format=self.data_format, dtype="uint8"
        )

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
