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
        forward: of a backward operation the operation that it differentiates, 0 where that is not known.
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
    forward: int = 0
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
    """An optimizer.

    Attributes:
        rates: the learning rates that were seen; of a schedule what it was over the updates, at equal distances.
        clip: ``value``, ``norm`` or ``global_norm``, where the optimizer clips; ``clip_at`` the threshold.
        loss_scale: the factor that a ``LossScaleOptimizer`` multiplies losses with; 0 for other optimizers.
        scales: how often its ``scale_loss`` was called; ``inner`` the optimizer that it hands unscaled gradients to.
    """

    id: int
    name: str
    kind: str
    stack: Stack = ()
    rates: tuple[float, ...] = ()
    variables: tuple[int, ...] = ()
    clip: str = ""
    clip_at: float = 0.0
    loss_scale: float = 0.0
    scales: int = 0
    inner: int = 0


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


# --- measured in sandboxes, now and then ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Probe:
    """A gradient call that was run again in a sandbox, on a batch of the program and the weights of the moment.

    Attributes:
        call: the gradient call.
        step: how often the call had been answered before.
        losses: the values of the targets.
        kept: whether random numbers and data were those of the program (not drawn anew with the same distribution).
    """

    id: int
    call: int
    step: int
    losses: tuple[float, ...] = ()
    kept: bool = True


@dataclass(slots=True)
class Measure:
    """One value of the forward pass in one probe, and the gradient that reached it.

    Attributes:
        value: its value id; ``operation`` the operation that made it.
        kind: TensorFlow's type of that operation.
        shape: its shape.
        mean, spread: mean and standard deviation of the entries; ``low`` and ``high`` the extremes.
        nonfinite, zeros: shares of the entries, 0 to 1.
        across: standard deviation over the samples of the batch, mean over the other axes.
        slope: of an activation that flattens (sigmoid, tanh) the mean of its derivative, relative to the steepest one;
            ``flat`` the share of the entries where that is below 0.01. Else -1.
        fired: of a rectifier, in hexadecimal one bit a unit (last axis; 1 where it was above zero for any sample or place).
        units: number of units.
        gradient: root mean square of the gradient of the loss with respect to it; -1 where none reaches it.
        gradient_zeros: share of that gradient's entries that are zero.
        gradient_high: largest absolute entry of that gradient.
    """

    id: int
    probe: int
    value: int
    operation: int
    kind: str
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    mean: float = 0.0
    spread: float = 0.0
    low: float = 0.0
    high: float = 0.0
    nonfinite: float = 0.0
    zeros: float = 0.0
    across: float = 0.0
    slope: float = -1.0
    flat: float = -1.0
    fired: str = ""
    units: int = 0
    gradient: float = -1.0
    gradient_zeros: float = 0.0
    gradient_high: float = 0.0


@dataclass(slots=True)
class Summand:
    """One term of a summed loss in one probe.

    Attributes:
        value: value id of the term without its weight; ``result`` its value.
        weight: the constant it is multiplied with on its way to the loss, with its sign; the product of several.
        weight_value: value id of the product where a constant was multiplied in, else of the term.
        norms: for each source of the gradient call the L2 norm of the weighted term's gradient, -1 where none flows.
    """

    id: int
    probe: int
    value: int
    result: float
    weight: float = 1.0
    weight_value: int = 0
    norms: tuple[float, ...] = ()


@dataclass(slots=True)
class Profile:
    """How a loss answers to a score: the score is set to each value of a grid, all else stays as it was.

    A score is what the last operation with weights hands on to the loss (for a sigmoid at the end of a network: its input).

    Attributes:
        call: the gradient call; ``value`` the score; ``operation`` what made it.
        grid: the values the score was set to.
        loss: the loss at each of them.
        low, high: the smallest and the largest derivative of the loss with respect to an entry of the score, times the number
            of entries (so that a mean over the batch does not matter).
        begin, end: the samples of the batch that were set and looked at, where real and generated ones were put together
            into one batch; both 0 for all of them.
        probe: the probe it was taken in.
    """

    id: int
    call: int
    value: int
    operation: int
    begin: int = 0
    end: int = 0
    probe: int = 0
    grid: tuple[float, ...] = ()
    loss: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(slots=True)
class Origin:
    """Where a value that is not finite was born.

    Attributes:
        call: the gradient call in which it was seen; ``step`` how often that had been answered before.
        operation: the operation that made it out of finite values; 0 where that was not found.
        forward: for an operation of a backward pass the operation it differentiates, else 0.
        order: 0 in the forward pass, 1 in a gradient, 2 in the gradient of a gradient.
        source: ``operation``; ``variable`` (a weight was not finite before the step), ``input`` (the batch was not), or
            ``unknown``.
        value: value id of what came out; of a variable or input its own.
        share: share of the entries that came out not finite; ``infinite`` whether they are infinite, not NaN.
        lows, highs, zeros: of each input the extremes and the share of zeros.
        losses: what the losses came to; ``weights`` how many of the variables had a gradient that was not finite.
        reproduced: whether the replay came to the same.
        note: why it was not found.
    """

    id: int
    call: int
    step: int
    operation: int = 0
    forward: int = 0
    order: int = 0
    source: str = "unknown"
    value: int = 0
    share: float = 0.0
    infinite: bool = False
    dtype: str = ""
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()
    zeros: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    weights: int = 0
    reproduced: bool = True
    note: str = ""
