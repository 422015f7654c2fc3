"""What a value may be: each kind says in words what it expects, and reads a value or says what is wrong with it."""

from __future__ import annotations

import math
import numbers
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganmedic import checking
from ganmedic.settings.faults import Faults, KeyPath, near, shown

#: What TensorFlow counts steps and seeds with.
LARGEST_WHOLE = 2**31 - 1


class Refused(Exception):
    """A value is not of a kind; its text says what to do, where more can be said than what is expected."""


class Kind(ABC):
    """What a key may hold."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """In words, such as `a whole number of at least 1`."""

    @abstractmethod
    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """The value as `Settings` hold it. What is wrong goes to `faults`; what comes back then is of no use."""


class Scalar(Kind):
    """A kind whose value is taken or refused as a whole."""

    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """As for every kind."""
        try:
            return self.accepted(value)
        except Refused as refused:
            faults.refuse(path, value, self.expected, str(refused))
            return None

    @abstractmethod
    def accepted(self, value: Any) -> Any:
        """The value; raises `Refused` for another one."""


@dataclass(frozen=True)
class Flag(Scalar):
    """true or false."""

    expected = "true or false"

    def accepted(self, value: Any) -> bool:
        """As for every scalar kind."""
        if not isinstance(value, bool):
            raise Refused(_unquoted(value))
        return value


@dataclass(frozen=True)
class Whole(Scalar):
    """A whole number from `low` to `high`."""

    low: int = 1
    high: int = LARGEST_WHOLE

    @property
    def expected(self) -> str:
        """The bounds in words."""
        return f"a whole number {'of at least ' + str(self.low) if self.high == LARGEST_WHOLE else self._between}"

    @property
    def _between(self) -> str:
        return f"from {self.low} to {self.high}"

    def accepted(self, value: Any) -> int:
        """As for every scalar kind."""
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            whole = isinstance(value, float) and value.is_integer() and self.low <= value <= self.high
            raise Refused(f"Write {int(value)}, without the point." if whole else _unquoted(value))
        result = int(value)
        if not self.low <= result <= self.high:
            raise Refused(f"The largest is {self.high}." if result > LARGEST_WHOLE else "")
        return result


@dataclass(frozen=True)
class Number(Scalar):
    """A finite number; `low` and `high` may be met, `above` and `below` may not."""

    low: float = -math.inf
    high: float = math.inf
    above: float | None = None
    below: float | None = None
    hint: str = ""

    @property
    def expected(self) -> str:
        """The bounds in words."""
        parts = []
        if self.above is not None or self.low > -math.inf:
            parts.append(f"above {self.above:g}" if self.above is not None else f"of at least {self.low:g}")
        if self.below is not None or self.high < math.inf:
            parts.append(f"below {self.below:g}" if self.below is not None else f"at most {self.high:g}")
        return f"a number {' and '.join(parts) or 'that is finite'}"

    def accepted(self, value: Any) -> float:
        """As for every scalar kind."""
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise Refused(_unquoted(value))
        try:
            result = float(value)
        except OverflowError:
            raise Refused("It is too large for a computer's numbers.") from None
        low = self.low <= result if self.above is None else self.above < result
        high = result <= self.high if self.below is None else result < self.below
        if not (math.isfinite(result) and low and high):
            raise Refused(self.hint)
        return result


@dataclass(frozen=True)
class Choice(Scalar):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        """The words."""
        return checking.listed(self.words)

    def accepted(self, value: Any) -> str:
        """As for every scalar kind."""
        if not isinstance(value, str) or value not in self.words:
            raise Refused(near(value, self.words).strip() if isinstance(value, str) else "")
        return value


@dataclass(frozen=True)
class WholeChoice(Scalar):
    """One of a few whole numbers."""

    values: tuple[int, ...]

    @property
    def expected(self) -> str:
        """The numbers."""
        return checking.listed(self.values).replace("'", "")  # type: ignore[arg-type]

    def accepted(self, value: Any) -> int:
        """As for every scalar kind."""
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value not in self.values:
            raise Refused(_unquoted(value))
        return int(value)


@dataclass(frozen=True)
class Or(Scalar):
    """A word that stands for a choice of ganmedic's own, or a value of another kind."""

    word: str
    other: Scalar

    @property
    def expected(self) -> str:
        """Both in words."""
        return f"{self.other.expected}, or '{self.word}',"

    def accepted(self, value: Any) -> Any:
        """As for every scalar kind."""
        if value == self.word:
            return value
        try:
            return self.other.accepted(value)
        except Refused as refused:
            raise Refused(
                str(refused) or (near(value, [self.word]).strip() if isinstance(value, str) else "")
            ) from None


@dataclass(frozen=True)
class Text(Scalar):
    """Text that is not empty, of a pattern where one is given.

    Attributes:
        what: in words, with an example.
        pattern: regular expression for all of it.
    """

    what: str = "a text in quotes"
    pattern: str = r"(?s).*\S.*"

    @property
    def expected(self) -> str:
        """What it is."""
        return self.what

    def accepted(self, value: Any) -> str:
        """As for every scalar kind."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise Refused("")
        if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise Refused("It has signs that no UTF-8 file or file name can hold.")
        return value


@dataclass(frozen=True)
class Words(Scalar):
    """A few words in one text, each once; such as the policy of DiffAugment.

    Attributes:
        words: the allowed ones.
        separator: what stands between them; empty for letters.
        ordered: whether they are brought into the order of `words`.
    """

    words: tuple[str, ...]
    separator: str = ""
    ordered: bool = False

    @property
    def expected(self) -> str:
        """The words."""
        how = "separated by commas, " if self.separator else "as letters of one text, "
        return f"one or more of {checking.listed(self.words)}, {how}each once,"

    def accepted(self, value: Any) -> str:
        """As for every scalar kind."""
        if not isinstance(value, str):
            raise Refused("")
        given = [word.strip() for word in value.split(self.separator) if word.strip()] if self.separator else [*value]
        for word in given:
            if word not in self.words:
                raise Refused(f"There is no {shown(word)}.{near(word, self.words)}")
        if not given or len(set(given)) < len(given):
            raise Refused("")
        return self.separator.join([word for word in self.words if word in given] if self.ordered else given)


@dataclass(frozen=True)
class ListOf(Kind):
    """A list of different values of one kind."""

    entry: Scalar
    what: str
    least: int = 0

    @property
    def expected(self) -> str:
        """What it is a list of."""
        return self.what

    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """As for every kind."""
        if not isinstance(value, list | tuple) or len(value) < self.least:
            hint = f"Write [{shown(value)}]." if isinstance(value, str) else ""
            faults.refuse(path, value, self.expected, hint)
            return None
        entries = [self.entry.read(entry, (*path, index), faults) for index, entry in enumerate(value)]
        seen: set[Any] = set()
        for index, entry in enumerate(entries):
            if entry is not None and entry in seen:
                faults.add(
                    (*path, index), f" is {shown(entry)} for the second time; each is expected once. Take it out."
                )
            seen.add(entry)
        return tuple(entries)


@dataclass(frozen=True)
class Ends(Scalar):
    """Two finite numbers, the lower one first."""

    expected = "a list of two numbers, the lower one first, such as [0, 255],"

    def accepted(self, value: Any) -> tuple[float, float]:
        """As for every scalar kind."""
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise Refused("")
        low, high = (Number().accepted(end) for end in value)
        if not low < high:
            raise Refused("")
        return low, high


@dataclass(frozen=True)
class FreeTable(Kind):
    """A table whose keys are another's to know: text, numbers, true and false, lists and tables."""

    expected = "a table, such as { depth = 2 },"

    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """As for every kind."""
        if not isinstance(value, Mapping):
            faults.refuse(path, value, self.expected)
            return None
        return {str(name): self._entry(entry, (*path, str(name)), faults) for name, entry in value.items()}

    def _entry(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        if isinstance(value, Mapping):
            return self.read(value, path, faults)
        if isinstance(value, list | tuple):
            return [self._entry(entry, (*path, index), faults) for index, entry in enumerate(value)]
        if isinstance(value, str):
            return Text("a text that a UTF-8 file can hold", r"(?s).*").read(value, path, faults)
        if isinstance(value, bool):
            return value
        if isinstance(value, numbers.Integral):
            return int(value)
        return Number().read(value, path, faults)


def _unquoted(value: Any) -> str:
    """What to do where a text came for a number or a truth value."""
    if not isinstance(value, str):
        return ""
    word = value.strip().lower()
    if word in ("", "none", "null", "nil", "~"):
        return "To leave it unset, leave the key out."
    if word in ("true", "false"):
        return f"Write {word}, without quotes."
    return f"Write {word}, without quotes." if re.fullmatch(r"[+-]?\d[\d_]*(\.\d+)?(e[+-]?\d+)?", word) else ""
