"""The rows of a record: what was seen of a run, in the order in which it happened.

Every row has an ``id`` that is also its time: ids are handed out by one counter, so ``a.id < b.id`` means that ``a``
happened first. Tensors are known by their value id (a whole number that TensorFlow never uses twice in a process);
a variable's value id is that of its resource handle. Stacks hold the user's own frames only, innermost last.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's code and the function it stands in."""

    file: str
    line: int
    function: str = ""


Stack = tuple[Place, ...]

#: How a gradient passes from an operation's output to one of its inputs.
FLOWS = "flows"
NONE = "none"  # TensorFlow hands back None
ZERO = "zero"  # TensorFlow hands back zeros, by definition of the operation
UNREGISTERED = "unregistered"  # the gradient raises LookupError


@dataclass(slots=True)
class Operation:
    """One TensorFlow operation, run eagerly or put into a function graph.

    Attributes:
        kind: TensorFlow's type of it (``MatMul``); ``Call`` for a call of a tf.function, ``While`` and ``If`` for control
            flow, ``CustomGradient`` for a function with a gradient of its own.
        graph: 0 if it ran eagerly, else the id of the function graph.
        inputs: value ids.
        outputs: value ids.
        input_types: dtype names of the inputs.
        output_types: dtype names of the outputs.
        shapes: static shapes of the outputs, ``None`` where unknown, with ``None`` for an unknown axis.
        stack: the user's frames.
        layer_call: the innermost layer call it belongs to.
        tapes: the tapes that recorded when it was made.
        gradient_call: set where it was made by ``tape.gradient`` (a backward operation).
        apply: set where it was made inside an optimizer's ``apply``.
        flows: for each input how a gradient passes to it.
        bodies: graphs that it runs (``Call``: one; ``While``: condition and body; ``If``: the branches).
        detail: the name of a custom gradient, of a NumPy function ...
        detail_place: where the function behind ``detail`` is written.
    """

    id: int
    kind: str
    graph: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_types: tuple[str, ...] = ()
    output_types: tuple[str, ...] = ()
    shapes: tuple[tuple[int | None, ...] | None, ...] = ()
    stack: Stack = ()
    layer_call: int | None = None
    tapes: tuple[int, ...] = ()
    gradient_call: int | None = None
    apply: int | None = None
    flows: tuple[str, ...] = ()
    bodies: tuple[int, ...] = ()
    detail: str = ""
    detail_place: Place | None = None


@dataclass(slots=True)
class Graph:
    """The body of a tf.function, of a loop or of a branch.

    Attributes:
        inputs: value ids of its arguments and captures.
        captures: value id outside, value id inside, for each value it took from around it.
        runs: how often it was run eagerly.
    """

    id: int
    name: str
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    captures: tuple[tuple[int, int], ...] = ()
    runs: int = 0


@dataclass(slots=True)
class Variable:
    """A variable; ``id`` is the value id of its resource handle.

    Attributes:
        trainable: the flag it was created with.
        seen: when it was first seen.
        stack: where it was created, if that was seen.
        first: digest of its value when first seen, ``last``: at the end.
        constant: whether all its entries were equal when last looked at.
        dead: it was gone when the record was closed.
    """

    id: int
    name: str
    shape: tuple[int | None, ...]
    dtype: str
    trainable: bool = True
    keras: bool = False
    seen: int = 0
    stack: Stack = ()
    first: str = ""
    last: str = ""
    dead: bool = False


@dataclass(slots=True)
class Module:
    """A Keras layer or model, or a tf.Module.

    Attributes:
        kind: class name; ``bases`` the names of its bases that come from Keras or TensorFlow.
        model: it is a ``keras.Model``.
        variables: value ids of its trainable and frozen weights, its parts' included; ``trainable_variables`` now.
        parts: ids of the modules inside it, direct ones only.
        stack: where it was made; ``connected`` where it was first put to use on symbolic Keras inputs.
        used: it was called from the user's code (not from inside another module).
        loaded: its weights were set from outside (``set_weights``, ``load_weights``).
        built_late: it had no variables when it was made.
    """

    id: int
    name: str
    kind: str
    model: bool = False
    custom: bool = False
    variables: tuple[int, ...] = ()
    trainable_variables: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    stack: Stack = ()
    connected: Stack = ()
    used: bool = False
    loaded: bool = False
    trainable: bool = True


@dataclass(slots=True)
class LayerCall:
    """One call of a module on tensors."""

    id: int
    module: int
    parent: int | None
    graph: int
    stack: Stack
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    ended: int = 0


@dataclass(slots=True)
class Tape:
    """One ``tf.GradientTape``: from ``id`` to ``ended`` it recorded, but for the ``pauses``.

    Attributes:
        pauses: begin, end and place of each stretch in which it did not record.
        watched: value id and time of each ``tape.watch``; ``watching`` the places of those calls.
    """

    id: int
    stack: Stack
    graph: int
    persistent: bool = False
    watch_accessed: bool = True
    ended: int = 0
    pauses: list[tuple[int, int, Stack]] = field(default_factory=list)
    resets: list[tuple[int, Stack]] = field(default_factory=list)
    watched: list[tuple[int, int]] = field(default_factory=list)
    watching: list[Stack] = field(default_factory=list)


@dataclass(slots=True)
class GradientCall:
    """One ``tape.gradient`` (``jacobian``, ``batch_jacobian``).

    Attributes:
        sources: value ids of what gradients were asked for.
        results: for each source ``tensor``, ``none`` or ``zero`` (every entry is zero; looked at in eager mode only).
        values: value ids of the gradients.
        error: the exception it raised, as ``Type: message``.
    """

    id: int
    tape: int
    stack: Stack
    graph: int
    method: str = "gradient"
    targets: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()
    results: tuple[str, ...] = ()
    values: tuple[int | None, ...] = ()
    error: str = ""
    by_framework: bool = False
    ended: int = 0


@dataclass(slots=True)
class Optimizer:
    """An optimizer; ``rates`` are the first and the last learning rate that were seen."""

    id: int
    name: str
    kind: str
    stack: Stack = ()
    rates: tuple[float, ...] = ()
    variables: tuple[int, ...] = ()


@dataclass(slots=True)
class Apply:
    """One ``apply_gradients`` or ``apply``: pairs of a gradient's value id and a variable's."""

    id: int
    optimizer: int
    stack: Stack
    graph: int
    gradients: tuple[int | None, ...] = ()
    variables: tuple[int, ...] = ()
    error: str = ""
    by_framework: bool = False


@dataclass(slots=True)
class ListRead:
    """The user's code read a module's list of variables."""

    id: int
    module: int
    attribute: str
    variables: tuple[int, ...]
    stack: Stack
    graph: int


@dataclass(slots=True)
class Freeze:
    """The user's code set ``trainable`` of a module or a variable."""

    id: int
    module: int
    value: bool
    stack: Stack


@dataclass(slots=True)
class Departure:
    """A value left TensorFlow: ``.numpy()``, ``predict``, ``float()``."""

    id: int
    how: str
    stack: Stack
    value: int | None = None
    module: int | None = None


@dataclass(slots=True)
class TrainCall:
    """``fit``, ``train_on_batch`` or ``train_step`` of a compiled model."""

    id: int
    module: int
    method: str
    stack: Stack
    trainable: int = 0
    total: int = 0


@dataclass(slots=True)
class Write:
    """A variable was set from outside any optimizer and any layer (``assign``, ``set_weights``)."""

    id: int
    variable: int
    stack: Stack
    how: str = "assign"


@dataclass(slots=True)
class Failure:
    """The exception that ended the script.

    Attributes:
        stack: the user's frames of the traceback, innermost last.
        framework: ``module:function`` of the frames behind the last user frame, outermost first.
        order: time at which it was seen.
    """

    type: str
    message: str
    stack: Stack = ()
    framework: tuple[str, ...] = ()
    id: int = 0
