"""What a class of the user's does otherwise than Keras' own."""


def overridden(kind, base, names):
    """List those of the methods that a class does not have from its base.

    Example:
        >>> overridden(bool, int, ["__and__", "__add__"])
        ['__and__']
    """
    return [name for name in names if getattr(kind, name) is not getattr(base, name)]
