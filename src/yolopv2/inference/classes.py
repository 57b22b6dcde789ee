"""Classes as a user names them."""

from collections.abc import Mapping, Sequence

from yolopv2.errors import YolopError

Classes = int | str | Sequence[int | str]
"""One class or several, by id or name."""


def class_ids(classes: Classes, names: Mapping[int, str]) -> tuple[int, ...]:
    """Ids of classes given by id or name; a name may belong to several ids.

    Args:
        classes: What the user gave.
        names: Class names by class id.

    Raises:
        YolopError: There is no such class, or none is given.

    Example:
        >>> class_ids(["truck", 0], {0: "car", 1: "truck"})
        (1, 0)
    """
    wanted = [classes] if isinstance(classes, int | str) else list(classes)
    ids = [[i for i, name in names.items() if entry in (i, str(i), name)] for entry in wanted]
    known = ", ".join(f"{i} {name}" for i, name in names.items())
    for entry, found in zip(wanted, ids, strict=True):
        if not found:
            raise YolopError(f"no class is called {entry!r}; there are: {known}")
    return tuple(dict.fromkeys(i for found in ids for i in found))
