"""Which categories of a label file become which class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yolopv2.errors import YolopError


@dataclass(frozen=True)
class Classes:
    """The classes of a data set, by the categories its files use.

    Attributes:
        names: Class names by class id.
        ids: Class id by category, which is a name, or a number in files that know no names.
        closed: Whether every number a file may hold is named, so that another one is a mistake; else such boxes are
            left out, as boxes of an unnamed category always are.

    Example:
        >>> classes = Classes.of({"vehicle": ["car", "bus"], "person": ["pedestrian"]})
        >>> classes.names
        {0: 'vehicle', 1: 'person'}
        >>> classes.ids["bus"], classes.ids.get("dog")
        (0, None)
        >>> Classes.of(["car", "person"]).number(1)
        1
    """

    names: dict[int, str]
    ids: Mapping[str | int, int]
    closed: bool

    @classmethod
    def of(cls, described: Sequence[str] | Mapping[str, Sequence[str | int]]) -> "Classes":
        """Classes as a data set's YAML describes them.

        Args:
            described: Names of categories that are a class each, numbered in this order; or the categories of each
                class by its name.

        Raises:
            YolopError: A category belongs to two classes.
        """
        closed = not isinstance(described, Mapping)
        names = dict(enumerate(described))
        ids: dict[str | int, int] = dict(zip(names, names, strict=True)) if closed else {}
        for class_id, name in names.items():
            for category in described[name] if isinstance(described, Mapping) else [name]:
                if ids.setdefault(category, class_id) != class_id:
                    raise YolopError(f"the category {category!r} belongs to two classes: name it once")
        return cls(names, ids, closed)

    def number(self, number: int) -> int | None:
        """The class of a category that a file gives by number, None when it is to be left out.

        Raises:
            YolopError: There is no such class.
        """
        class_id = self.ids.get(number)
        if class_id is None and (self.closed or number < 0):
            raise YolopError(f"class {number} is out of range, the classes are 0 to {len(self.names) - 1}")
        return class_id


VEHICLES = Classes.of({"vehicle": ["car", "truck", "bus", "train"]})
"""The paper's one class, of BDD100K's categories; the others are left out."""
