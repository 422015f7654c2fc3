"""An operation that has no gradient sits on the way from the loss to the variables.

## What it means

The path exists, and one operation on it is a step function, a choice of an index or a change to integers. Its
derivative is zero wherever it exists, so TensorFlow defines none. A generator of words, notes or binary pixels falls
into this trap as soon as its output is rounded, thresholded or sampled before the discriminator reads it.

TensorFlow 2 answers in three different ways, and only the last one names the operation:

| answer | operations |
|---|---|
| `None` | `argmax`, `round`, `floor`, `ceil`, `rint`, `//`, comparisons, `cast` to an integer or bool, `one_hot`, \
`argsort`, indices of `top_k`, `tf.random.categorical`, `tf.random.shuffle`, `searchsorted`, histograms, \
table lookups, `tf.strings`, `hsv_to_rgb`, `convert_image_dtype(..., tf.uint8)` |
| exact zeros | `sign`, `clip_by_value` outside its range, a `tf.py_function` that computes with NumPy inside |
| `LookupError` | `unique`, `linalg.lu`, `random.poisson`, `image.adjust_hue`, `image.adjust_saturation`, \
`image.adjust_contrast`, `image.resize(method="area")`, `image.draw_bounding_boxes` |

With all gradients `None` the step ends in `ValueError: No gradients provided for any variable.`, in `fit`, in a
`tf.function` and eagerly alike. The third group ends in

    LookupError: gradient registry has no entry for: AdjustHue

eagerly and in `fit`; in a `tf.function` the exception is AutoGraph's `StagingError`, which is no `LookupError`, and
its text ends with that line. Zeros raise nothing at all.

## How it is recognised

The operations are followed backwards from the loss. The cut is the first operation whose output feeds the loss, whose
input depends on the variables, and for which TensorFlow either registers no gradient, registers it as not
differentiable, or returns `None` for that input (`ArgMax`, `Floor`, `Round` and `Cast` to integers are registered and
return `None`). Zeros are recognised by the gradient in front of the operation being non-zero and behind it exactly
zero in every element. No threshold is used: it is the operation, not the size of a number, that decides.

If another path goes round the operation, the gradients are there and the finding speaks of the term that is cut.

## Why it hurts

Nothing behind the operation learns. A discriminator trained beside it wins quickly, and the usual advice for a losing
generator (learning rates, more steps) cannot help. Where only one term of a summed loss passes the operation, no
variable is without a gradient, no warning appears, and that one term never falls.

## Not to be confused with

- `left-tensorflow`: the value went through NumPy. `numpy_function` belongs there.
- `stop-gradient`: somebody cut the path on purpose.
- A metric through `argmax` or `round` (an accuracy, a count): no gradient is asked through it, so it is no fault.
- Operations that look discrete and are differentiable: `tf.sort`, the values of `tf.math.top_k`, `tf.gather` along an
  index (for the gathered values), `tf.where` (for its branches, not for its condition), `%`, max pooling.
- `clip-too-tight`: gradients are shrunk, not cut.

## Remedy, and what it changes

- Words or classes: give the discriminator the softmax, or a Gumbel-softmax sample. The discriminator then sees soft
  vectors and not one-hot ones; lower the temperature, so that it cannot tell them apart by that alone.
- Binary values, rounding, sampling: straight-through, `soft + tf.stop_gradient(hard - soft)`. The forward value stays
  the hard one, the gradient is that of the soft one (a biased estimate).
- Augmentation: write hue, contrast and saturation with arithmetic (means, sums, a colour matrix), resize with
  `bilinear`.
- A number that is only shown: compute it outside the loss.

## Example

```python
# faulty
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
discriminator = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])

with tf.GradientTape() as tape:
    words = tf.one_hot(tf.argmax(generator(tf.ones((2, 3))), axis=-1), 5)
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(words)))
gradients = tape.gradient(loss, generator.trainable_variables)
assert all(g is None for g in gradients)

try:
    with tf.GradientTape() as tape:
        images = tf.reshape(generator(tf.ones((3, 3))), (1, 1, 5, 3))
        loss = tf.reduce_mean(tf.image.adjust_hue(images, 0.1))
    tape.gradient(loss, generator.trainable_variables)
    raise AssertionError("adjust_hue has a gradient")
except LookupError as error:
    assert str(error) == "gradient registry has no entry for: AdjustHue"
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
discriminator = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])

with tf.GradientTape() as tape:
    soft = tf.nn.softmax(generator(tf.ones((2, 3))))
    hard = tf.one_hot(tf.argmax(soft, axis=-1), 5)
    words = soft + tf.stop_gradient(hard - soft)
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(words)))
gradients = tape.gradient(loss, generator.trainable_variables)
assert all(g is not None for g in gradients)
```

## References

- TensorFlow guide, *Introduction to gradients and automatic differentiation*, section "Cases where gradient returns
  None".
- TensorFlow API, `tf.no_gradient`.
- Bengio, Léonard, Courville, *Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
  Computation*, 2013, arXiv 1308.3432: the straight-through estimator.
- Jang, Gu, Poole, *Categorical Reparameterization with Gumbel-Softmax*, 2016, arXiv 1611.01144.
- keras-team/keras #5521 (`floor` in a Lambda layer), #17444 (a text GAN with argmax); tensorflow/tensorflow #14931
  (argmax), #14894 (histogram), #126083 (adjust_hue, adjust_saturation, adjust_contrast).
"""

from __future__ import annotations

import ast
from dataclasses import replace

from ganmedic.analysis.run import Gap, Run, Term
from ganmedic.analysis.source import call_named, statement
from ganmedic.analysis.story import innermost, locations, operation_name, portion, reason
from ganmedic.analysis.terms import broken_terms, dominating
from ganmedic.analysis.verdicts import cause_of, cause_of_cut
from ganmedic.causes.building import call_evidence, cut_place, finding_of, term_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.flow import Edge
from ganmedic.record.record import Record
from ganmedic.record.schema import GradientCall, Operation

#: Operations that pass no gradient where their input lies outside a range.
RANGES = frozenset({"ClipByValue", "Minimum", "Maximum", "Relu6"})

SLUG = "non-differentiable-op"
FAMILY = "missing"
TITLE = "An operation without a gradient sits between loss and variables"


def find(record: Record) -> list[Finding]:
    """Gaps that are cut by an operation without a derivative, or by one whose derivative is zero."""
    run = Run.of(record)
    found = [_explain(run, gap) for gap in run.gaps if not gap.absent and cause_of(run, gap) == SLUG]
    found.extend(_explain_term(run, term) for term in broken_terms(run) if cause_of_cut(run, term) == SLUG)
    clipped = _out_of_range(run)
    found.extend(clipped or _beside_zeros(run))
    return found


def _explain(run: Run, gap: Gap) -> Finding:
    operation = run.flow.operation(gap.chain[-1])
    name = operation_name(operation)
    verdict = gap.chain[0].verdict
    what = "is exactly zero" if verdict == "zero" else "cannot be computed" if gap.failed else "is None"
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} {what}: {name} lies on the way to the loss and {_why(verdict)}.",
        locations(
            run,
            (cut_place(run, gap), "fault"),
            *((innermost(run.flow.operation(edge).stack), "cut") for edge in gap.chain[::-1]),
            (run.loss_place(gap.call), "loss"),
            (innermost(gap.call.stack), "gradient"),
            mark=_called(operation),
        ),
        remedies=(_remedy(run, operation),),
        evidence=(*call_evidence(run, gap), _chain_text(run, gap.chain)),
        confidence=0.95,
    )


def _explain_term(run: Run, term: Term) -> Finding:
    operation = run.flow.operation(term.chain[-1])
    return term_finding(
        run,
        term,
        SLUG,
        f"One term of the loss trains nothing: {operation_name(operation)} lies between it and {_whose(run, term)}, and "
        f"{_why(term.chain[0].verdict)}. The term never falls, and no gradient is None.",
        remedies=(_remedy(run, operation),),
        evidence=(_chain_text(run, term.chain),),
        mark=_called(operation),
    )


def _called(operation: Operation) -> tuple[str, ...]:
    """What a user calls to get this operation."""
    kind = operation.kind
    return (
        _STEPS.get(kind) or kind.lower(),
        {"ArgMax": "argmax", "OneHot": "one_hot", "TopKV2": "top_k"}.get(kind, kind),
    )


def _whose(run: Run, term: Term) -> str:
    net = run.net_of.get(term.values[0])
    return net.name if net is not None else "the network"


def _why(verdict: str) -> str:
    return {
        "zero": "its derivative is zero everywhere",
        "unregistered": "TensorFlow has no gradient for it (LookupError)",
    }.get(verdict, "TensorFlow hands back no gradient through it")


def _chain_text(run: Run, chain: tuple[Edge, ...]) -> str:
    names = [operation_name(run.flow.operation(edge)) for edge in chain]
    return f"cut at {' <- '.join(names)}: {reason(chain[-1])}"


def _remedy(run: Run, operation: Operation) -> Remedy:
    """A differentiable stand-in for the operation, with the user's own line."""
    kind = operation.kind
    if kind in _CHOICES:
        return Remedy(
            "Hand on probabilities, not indices: a softmax, or a sample of the Gumbel-softmax.",
            "probabilities = tf.nn.softmax(logits / temperature, axis=-1)",
            keeps_objective=False,
        )
    if kind in _STEPS:
        return Remedy(
            "Keep the hard value in the forward pass and let the gradient pass straight through.",
            _straight_through(run, operation),
        )
    if kind in RANGES:
        return Remedy(
            "Scale the values into the range instead of clipping them, or clip only what is shown.",
            keeps_objective=False,
        )
    return Remedy(
        f"Compute this step with operations that have a gradient, or pass the gradient straight around {kind}.",
        "y = x + tf.stop_gradient(hard(x) - x)  # straight-through estimator",
    )


#: They choose: what they hand back is an index.
_CHOICES = frozenset(
    {"ArgMax", "ArgMin", "OneHot", "TopKV2", "Multinomial", "StatelessMultinomial", "RandomCategorical"}
)
#: They make steps of a slope, and the function that a user calls for them.
_STEPS = {
    "Round": "round",
    "Rint": "rint",
    "Floor": "floor",
    "Ceil": "ceil",
    "Sign": "sign",
    "Cast": "cast",
    "Greater": "",
    "GreaterEqual": "",
    "Less": "",
    "LessEqual": "",
    "Equal": "",
    "NotEqual": "",
}


def _straight_through(run: Run, operation: Operation) -> str:
    """The user's statement with the hard step passed straight through, or the pattern where it cannot be rewritten."""
    place = innermost(operation.stack)
    call = (
        call_named(run.record, place, _STEPS[operation.kind]) if place is not None and _STEPS[operation.kind] else None
    )
    found = statement(run.record, place) if place is not None else None
    if call is None or found is None or not call.args:
        return "y = soft + tf.stop_gradient(hard - soft)  # hard: the value with steps, soft: the value before"
    soft, hard = ast.unparse(call.args[0]), ast.unparse(call)
    return ast.unparse(found).replace(hard, f"({soft} + tf.stop_gradient({hard} - ({soft})))")


# --- a clip whose range the values have left --------------------------------------------------------------------------


def _out_of_range(run: Run) -> list[Finding]:
    """Networks whose gradient is zero, or which never move, behind a clip that every gradient has to pass."""
    found: list[Finding] = []
    for call in run.calls:
        stuck = [
            source
            for source, result in zip(call.sources, call.results, strict=False)
            if run.meant_to_train(source) and _is_stuck(run, source, result)
        ]
        nets = {run.net_of[source].name: run.net_of[source] for source in stuck if source in run.net_of}
        for net in nets.values():
            own = tuple(source for source in stuck if source in net.variables)
            asked = [source for source in call.sources if source in net.variables and run.meant_to_train(source)]
            if len(own) < len(asked):
                continue
            clip = dominating(run, call, own[0], RANGES)
            if clip is not None and _is_written(run, run.flow.operation(clip)):
                found.append(_explain_clip(run, call, own, clip))
    return found


def _is_written(run: Run, operation: Operation) -> bool:
    """Whether the user's own line clips: a loss of Keras clips probabilities by itself, which is another fault."""
    place = innermost(operation.stack)
    line = run.record.line(place.file, place.line) if place is not None else ""
    return any(word in line for word in ("clip", "minimum", "maximum", "relu6", "hard_"))


def _is_stuck(run: Run, source: int, result: str) -> bool:
    if result == "zero":
        return (
            all(
                told in ("zero", "none")
                for call in run.record.gradient_calls.values()
                for value, told in zip(call.sources, call.results, strict=False)
                if value == source
            )
            and run.moved(source) is not True
        )
    return result == "tensor" and run.moved(source) is False and source in run.applied


def _explain_clip(run: Run, call: GradientCall, values: tuple[int, ...], clip: Edge) -> Finding:
    gap = Gap(call, run.net_of[values[0]], values, (clip,))
    operation = run.flow.operation(clip)
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, values)} is exactly zero: every value that reaches {operation_name(operation)} "
        "lies outside its range, where its derivative is zero.",
        locations(
            run,
            (innermost(operation.stack), "fault"),
            (run.loss_place(call), "loss"),
            (innermost(call.stack), "gradient"),
        ),
        remedies=(_remedy(run, operation),),
        evidence=call_evidence(run, gap),
        confidence=0.8,
    )


# --- zeros that a parallel cut explains ---------------------------------------------------------------------------------


def _beside_zeros(run: Run) -> list[Finding]:
    """Variables that never move though a way leads to them, where the way that carries their value is cut."""
    found: list[Finding] = []
    for call in run.calls:
        groups: dict[tuple[object, ...], list[int]] = {}
        chains: dict[tuple[object, ...], tuple[Edge, ...]] = {}
        reach = run.flow.behind(call)
        for source, result in zip(call.sources, call.results, strict=False):
            if not run.meant_to_train(source) or source not in run.net_of or not _is_stuck(run, source, result):
                continue
            for cut in reach.cuts_beside([source]):
                if not reach.within_a_step(cut, source):
                    continue
                chain = tuple(run.flow.entry(reach, cut, [source]))
                operation = run.flow.operation(chain[-1])
                if run.telling(reach, chain, source)[1] or operation.kind in _COMPARISONS:
                    continue
                key: tuple[object, ...] = (run.net_of[source].name, operation.kind, operation.stack[-1:])
                groups.setdefault(key, []).append(source)
                chains.setdefault(key, chain)
                break
        for key, values in groups.items():
            gap = Gap(call, run.net_of[values[0]], tuple(values), chains[key])
            if cause_of(run, gap) == SLUG:
                found.append(
                    replace(_explain(run, gap), confidence=0.65, severity="warning", summary=_zero_summary(run, gap))
                )
    return found


def _zero_summary(run: Run, gap: Gap) -> str:
    name = operation_name(run.flow.operation(gap.chain[-1]))
    return (
        f"The gradient of {portion(run, gap.net, gap.values)} is exactly zero and they never move: their value reaches the loss "
        f"through {name}, which passes no gradient."
    )


#: They decide between branches in many sound networks.
_COMPARISONS = frozenset({"Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"})
