"""What goes along with images, in the forms that users have and Keras does not take."""


def complete(data, data_format):
    """Bring masks and boxes into the form that Keras' image layers take.

    Args:
        data: dict of `"images"` and what goes along; it is not changed.
        data_format: Layout of the images.

    Returns:
        `(data, undo)`: masks `(n, height, width)` have gained their axis of channels,
        and boxes without labels have labels 0; `undo` takes both off the outputs.
    """
    data, undone = dict(data), []
    masks = data.get("segmentation_masks")
    if masks is not None and _rank(masks) == _rank(data.get("images")) - 1:
        place = _channel(masks, data_format)
        data["segmentation_masks"] = masks[(*place, None)]
        undone.append(("segmentation_masks", lambda moved: moved[(*place, 0)]))
    boxes = data.get("bounding_boxes")
    if isinstance(boxes, dict):
        if "labels" not in boxes and hasattr(boxes.get("boxes"), "shape"):
            data["bounding_boxes"] = {**boxes, "labels": boxes["boxes"][..., 0] * 0}
            undone.append(("bounding_boxes", _without_labels))
    elif hasattr(boxes, "shape"):
        data["bounding_boxes"] = {"boxes": boxes, "labels": boxes[..., 0] * 0}
        undone.append(("bounding_boxes", lambda moved: moved["boxes"]))

    def undo(outputs):
        return {**outputs, **{name: take(outputs[name]) for name, take in undone}}

    return data, undo


def _channel(masks, data_format):
    """Where the axis of channels belongs, as what is indexed before it."""
    if data_format == "channels_last":
        return (...,)
    return (slice(None),) * (_rank(masks) - 2)


def _without_labels(boxes):
    return {name: value for name, value in boxes.items() if name != "labels"}


def _rank(values):
    return len(getattr(values, "shape", ()))
