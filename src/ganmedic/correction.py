"""What losses, penalties, clips and the other corrections have in common: a configuration, and state that can be saved.

A correction is a `tf.Module`: `tf.train.Checkpoint(penalty=penalty, clip=clip)` keeps what it remembers. Its arguments come
back from `get_config`, so `keras.saving.serialize_keras_object` and `deserialize_keras_object` carry it through a file.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

import keras
import tensorflow as tf

from ganmedic import checking


class Correction(tf.Module):  # type: ignore[misc]
    """Base of the corrections.

    Every argument of a subclass's `__init__` is kept under the argument's own name; that makes its configuration.
    Subclasses are known to Keras under `ganmedic>ClassName`.
    """

    def __init__(self) -> None:
        super().__init__()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.__name__.startswith("_"):
            keras.saving.register_keras_serializable(package="ganmedic")(cls)

    @classmethod
    def _arguments(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with, as plain data; objects of Keras and of ganmedic are serialised."""
        return {name: _plain(getattr(self, name)) for name in self._arguments()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes it again from what `get_config` gave; what it remembered is not in there, a checkpoint keeps that."""
        return cls(**{name: _revived(value) for name, value in config.items()})

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._arguments())
        return f"{type(self).__name__}({arguments})"


Kind = TypeVar("Kind", bound=Correction)


class Catalogue(Generic[Kind]):
    """The members of one kind, by name.

    Args:
        kind: what a member is called in messages, such as `loss`.
        base: what every member is an instance of.
        members: class of each name.
    """

    def __init__(self, kind: str, base: type[Kind], members: Mapping[str, type[Kind]]) -> None:
        self.kind = kind
        self.base = base
        self.members = dict(members)

    def names(self) -> tuple[str, ...]:
        """The names that `get` knows."""
        return tuple(self.members)

    def get(self, identifier: str | Kind | Mapping[str, Any], *arguments: Any, **options: Any) -> Kind:
        """The member of a name, with arguments; or of a serialised configuration; an instance is given back as it is.

        Raises:
            ValueError: no member has this name, or arguments came with something that is made already.
            TypeError: neither a name, an instance nor a configuration came, or an argument is unknown.
        """
        if isinstance(identifier, str):
            return self._made(identifier, arguments, options)
        if arguments or options:
            raise ValueError(
                f"{self.kind}: arguments came with {identifier!r}, which is made already. "
                f"Give its name instead: one of {checking.listed(self.members)}."
            )
        if isinstance(identifier, Mapping):
            identifier = keras.saving.deserialize_keras_object(dict(identifier))
        if not isinstance(identifier, self.base):
            raise TypeError(
                f"{self.kind}: {identifier!r} came; a name, a {self.base.__name__} or its configuration is expected. "
                f"The names are {checking.listed(self.members)}."
            )
        return identifier

    def _made(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Kind:
        if name not in self.members:
            raise ValueError(
                f"{self.kind}: there is no {name!r}; {checking.listed(self.members)} is expected."
                f"{checking.nearest(name, self.members)}"
            )
        member = self.members[name]
        known = member._arguments()
        for option in options:
            if option not in known:
                raise TypeError(
                    f"{self.kind} {name!r} takes no argument {option!r}; it takes {', '.join(known) or 'none'}."
                    f"{checking.nearest(option, known)}"
                )
        return member(*arguments, **options)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return keras.saving.serialize_keras_object(value)


def _revived(value: Any) -> Any:
    if isinstance(value, Mapping) and "class_name" in value and "config" in value:
        return keras.saving.deserialize_keras_object(dict(value))
    if isinstance(value, Mapping):
        return {name: _revived(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_revived(entry) for entry in value]
    return value
