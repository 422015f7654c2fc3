"""Programs as users write them, for the tests that compare a run with ganmedic to one without.

Each seeds everything, trains for some rounds and returns what came of it. Imported by the tests only when they run,
since it imports TensorFlow.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

Result = dict[str, Any]


def seed() -> None:
    """Puts every source of random numbers, and the names Keras gives, into a known state."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(7)
    tf.random.set_global_generator(tf.random.Generator.from_seed(3))


def random_states() -> Result:
    """The state of every source of random numbers, and the next numbers of those that hide it."""
    seeds = keras.random.SeedGenerator(seed=None)
    return {
        "random": random.getstate(),
        "numpy": [str(part) for part in np.random.get_state(legacy=True)],
        "tf generator": tf.random.get_global_generator().state.numpy().tolist(),
        "tf next": tf.random.uniform([3]).numpy().tolist(),
        "keras seeds": seeds.state.numpy().tolist(),
        "keras next": keras.random.uniform([3]).numpy().tolist(),
    }


def values(things: Iterable[Any]) -> list[str]:
    """Values bit for bit, for tensors, variables, sparse gradients and None alike."""
    return [_value(thing) for thing in things]


def _value(thing: Any) -> str:
    if thing is None:
        return "None"
    if isinstance(thing, tf.IndexedSlices):
        return f"sparse {_value(thing.indices)} {_value(thing.values)}"
    array = thing.numpy() if hasattr(thing, "numpy") else np.asarray(thing)
    return f"{array.dtype}{array.shape} {array.tobytes().hex()}"


def finished(losses: Iterable[Any], *models: Any, **more: Any) -> Result:
    """Everything that the run came to."""
    weights = {
        f"{number} {getattr(variable, 'path', variable.name)}": _value(variable)
        for number, variable in enumerate(variable for model in models for variable in model.variables)
    }
    return {"losses": values(losses), "weights": weights, **more, "random": random_states()}


def real(size: int = 8) -> np.ndarray:
    return np.random.normal(random.random(), 1.0, (size, 4)).astype("float32")


def generator() -> keras.Model:
    return keras.Sequential(
        [layers.Input((3,)), layers.Dense(6), layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(4)],
        name="generator",
    )


def discriminator() -> keras.Model:
    return keras.Sequential(
        [layers.Input((4,)), layers.Dense(6), layers.LeakyReLU(), layers.Dropout(0.3), layers.Dense(1)],
        name="discriminator",
    )


cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)


# --- ways to train ----------------------------------------------------------------------------------------------------


def eager_loop(rounds: int = 7) -> Result:
    seed()
    g, d = generator(), discriminator()
    g_optimizer, d_optimizer = keras.optimizers.Adam(0.01), keras.optimizers.RMSprop(0.01)
    losses = []
    for _ in range(rounds):
        noise = tf.random.normal([8, 3]) + tf.random.get_global_generator().normal([8, 3])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = g(noise, training=True)
            of_real, of_fake = d(real(), training=True), d(fake, training=True)
            g_loss = cross_entropy(tf.ones_like(of_fake), of_fake)
            d_loss = cross_entropy(tf.ones_like(of_real), of_real) + cross_entropy(tf.zeros_like(of_fake), of_fake)
        g_grads = g_tape.gradient(g_loss, g.trainable_variables)
        d_grads = d_tape.gradient(d_loss, d.trainable_variables)
        g_optimizer.apply_gradients(zip(g_grads, g.trainable_variables, strict=True))
        d_optimizer.apply(d_grads, d.trainable_variables)
        losses += [g_loss, d_loss, float(g_loss), d_loss.numpy()]
    return finished(losses, g, d, g_optimizer, d_optimizer)


def function_loop(rounds: int = 6, jit: bool = False) -> Result:
    seed()
    g, d = generator(), discriminator()
    g_optimizer, d_optimizer = keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.01, momentum=0.5)
    g_optimizer.build(g.trainable_variables)
    d_optimizer.build(d.trainable_variables)
    traced: list[str] = []

    # XLA on a CPU draws other numbers in each process and run, so that under jit no number is drawn inside.
    @tf.function
    def smooth(labels: Any) -> Any:
        traced.append("smooth")
        return labels * (0.9 if jit else tf.random.uniform(tf.shape(labels), 0.8, 1.0))

    @tf.function(jit_compile=jit)
    def step(images: Any, noise: Any) -> Any:
        traced.append(f"step {images.shape}")
        fake = g(noise if jit else tf.random.normal([8, 3]), training=True)
        d_loss = tf.constant(0.0)
        for _ in range(2) if jit else tf.range(2):
            with tf.GradientTape() as tape:
                of_real, of_fake = d(images, training=True), d(fake, training=True)
                d_loss = cross_entropy(smooth(tf.ones_like(of_real)), of_real)
                d_loss += cross_entropy(tf.zeros_like(of_fake), of_fake)
            grads = tape.gradient(d_loss, d.trainable_variables)
            d_optimizer.apply_gradients(zip(grads, d.trainable_variables, strict=True))
        with tf.GradientTape() as tape:
            # The seed of the second draw is the number of draws that the graph has so far.
            drawn = noise if jit else tf.random.normal([8, 3], seed=5) + tf.random.normal([8, 3])
            of_fake = d(g(drawn, training=True), training=True)
            g_loss = cross_entropy(tf.ones_like(of_fake), of_fake)
            if g_loss > 0.5:
                g_loss = g_loss * 1.5
        grads = tape.gradient(g_loss, g.trainable_variables)
        g_optimizer.apply_gradients(zip(grads, g.trainable_variables, strict=True))
        return g_loss, d_loss

    losses: list[Any] = []
    for number in range(rounds):
        losses += step(tf.constant(real(8 if jit or number < 4 else 5)), tf.random.normal([8, 3]))
    count = step.experimental_get_tracing_count()
    return finished(losses, g, d, g_optimizer, d_optimizer, traced=traced, count=count)


class Gan(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="gan")
        self.generator, self.discriminator = generator(), discriminator()
        self.seeds = keras.random.SeedGenerator(11)
        self.loss_tracker = keras.metrics.Mean(name="g_loss")
        self.traced: list[Any] = []

    def compile(self, g_optimizer: Any, d_optimizer: Any, **more: Any) -> None:
        super().compile(**more)
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer

    def train_step(self, data: Any) -> Any:
        self.traced.append("train_step")
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(keras.random.normal([tf.shape(data)[0], 3], seed=self.seeds), training=True)
            of_real, of_fake = self.discriminator(data, training=True), self.discriminator(fake, training=True)
            g_loss = cross_entropy(tf.ones_like(of_fake), of_fake)
            d_loss = cross_entropy(tf.ones_like(of_real), of_real) + cross_entropy(tf.zeros_like(of_fake), of_fake)
        for loss, network, optimizer in (
            (g_loss, self.generator, self.g_optimizer),
            (d_loss, self.discriminator, self.d_optimizer),
        ):
            grads = tape.gradient(loss, network.trainable_variables)
            optimizer.apply_gradients(zip(grads, network.trainable_variables, strict=True))
        self.loss_tracker.update_state(g_loss)
        return {"g_loss": self.loss_tracker.result(), "d_loss": d_loss}


def fit(rounds: int = 3, **options: Any) -> Result:
    seed()
    gan = Gan()
    gan.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01), **options)
    history = gan.fit(np.concatenate([real(), real()]), epochs=rounds, batch_size=4, shuffle=True, verbose=0)
    return finished(
        [loss for name in sorted(history.history) for loss in history.history[name]],
        gan,
        gan.g_optimizer,
        gan.d_optimizer,
        traced=list(gan.traced),
    )


def compiled(rounds: int = 4) -> Result:
    seed()
    g, d = generator(), discriminator()
    traced: list[str] = []

    def loss(labels: Any, scores: Any) -> Any:
        traced.append(f"loss {scores.shape}")
        return keras.losses.binary_crossentropy(labels, scores, from_logits=True)

    d.compile("adam", loss, metrics=["accuracy"])
    inputs = layers.Input((3,))
    frozen = keras.Model(d.inputs, d.outputs, name="frozen")
    frozen.trainable = False
    stacked = keras.Model(inputs, frozen(g(inputs)), name="stacked")
    stacked.compile(keras.optimizers.Adam(0.01), loss)
    losses: list[Any] = []
    for _ in range(rounds):
        fake = g.predict(np.random.normal(size=(8, 3)), verbose=0)
        d.trainable = True
        losses += [*d.train_on_batch(real(), np.ones((8, 1))), *d.train_on_batch(fake, np.zeros((8, 1)))]
        d.trainable = False
        losses.append(stacked.train_on_batch(np.random.normal(size=(8, 3)), np.ones((8, 1))))
    return finished(losses, stacked, d, stacked.optimizer, d.optimizer, traced=traced)


def gradient_penalty(rounds: int = 5, traced: bool = False) -> Result:
    seed()
    d = keras.Sequential([layers.Input((4,)), layers.Dense(6, "tanh"), layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(d.trainable_variables)

    def step(images: Any, fake: Any) -> Any:
        mix = tf.random.uniform([8, 1])
        between = mix * images + (1 - mix) * fake
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(between)
                score = d(between, training=True)
            slope = inner.gradient(score, between)
            penalty = tf.reduce_mean((tf.norm(slope, axis=1) - 1.0) ** 2)
            loss = tf.reduce_mean(d(fake)) - tf.reduce_mean(d(images)) + 10.0 * penalty
        grads = outer.gradient(loss, d.trainable_variables)
        optimizer.apply_gradients(zip(grads, d.trainable_variables, strict=True))
        return loss

    run = tf.function(step) if traced else step
    losses = [run(tf.constant(real()), tf.random.normal([8, 4])) for _ in range(rounds)]
    more = {"count": run.experimental_get_tracing_count()} if traced else {}
    return finished(losses, d, optimizer, **more)


def in_a_thread() -> Result:
    """Trains in a thread of its own while the main thread waits."""
    import threading

    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(eager_loop(5)))
    thread.start()
    thread.join()
    return results[0]


def mirrored(rounds: int = 4) -> Result:
    seed()
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        d = keras.Sequential([layers.Input((4,)), layers.Dense(6), layers.BatchNormalization(), layers.Dense(1)])
        optimizer = keras.optimizers.SGD(0.01)
        optimizer.build(d.trainable_variables)

    def replica(images: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(d(images, training=True) ** 2)
        grads = tape.gradient(loss, d.trainable_variables)
        optimizer.apply_gradients(zip(grads, d.trainable_variables, strict=True))
        return loss

    @tf.function
    def step(images: Any) -> Any:
        return strategy.reduce("SUM", strategy.run(replica, (images,)), axis=None)

    losses = [step(tf.constant(real())) for _ in range(rounds)]
    return finished(losses, d, count=step.experimental_get_tracing_count())


def functions_run_eagerly() -> Result:
    tf.config.run_functions_eagerly(True)
    try:
        return function_loop()
    finally:
        tf.config.run_functions_eagerly(False)


def numerics_checked() -> Result:
    """TensorFlow's own hook on operations, which puts a check behind each of them in a function."""
    found = {}
    for first in (False, True):
        if first:
            tf.debugging.enable_check_numerics()

        @tf.function
        def risky(x: Any) -> Any:
            return tf.reduce_sum(tf.math.log(x) * 0.0 + 1.0)

        if not first:
            tf.debugging.enable_check_numerics()
        with tf.GradientTape():
            pass
        try:
            risky(tf.constant([-1.0, 1.0]))
            found[f"first {first}"] = "nothing"
        except tf.errors.InvalidArgumentError as error:
            found[f"first {first}"] = type(error).__name__
        finally:
            tf.debugging.disable_check_numerics()
    return found


# --- what gradients can be --------------------------------------------------------------------------------------------


def trained(
    variables: list[Any], loss_of: Callable[[], Any], optimizer: Any, rounds: int = 5, traced: bool = False
) -> Result:
    """Applies the gradients that there are, and keeps all of them."""

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of()
        grads = tape.gradient(loss, variables)
        optimizer.apply_gradients([pair for pair in zip(grads, variables, strict=True) if pair[0] is not None])
        return loss, grads

    optimizer.build(variables)
    run = tf.function(step) if traced else step
    seen: list[Any] = []
    for _ in range(rounds):
        loss, grads = run()
        seen += [loss, *grads]
    return {"seen": values(seen), "weights": values(variables), "random": random_states()}


def missing(traced: bool = False) -> Result:
    seed()
    used, unused = tf.Variable([1.0, 2.0]), tf.Variable([3.0])
    return trained([used, unused], lambda: tf.reduce_sum(used**2), keras.optimizers.SGD(0.1), traced=traced)


def none_at_all() -> Result:
    seed()
    model = discriminator()
    optimizer = keras.optimizers.Adam()
    errors = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(tf.round(model(real())), "int32"))
        grads = tape.gradient(loss, model.trainable_variables)
        try:
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        except ValueError as error:
            errors.append(str(error))
        try:
            optimizer.apply_gradients(zip(tape_of_nothing().gradient(loss, []), [], strict=True))
        except ValueError as error:
            errors.append(str(error))
    assert len(errors) == 8
    return finished([], model, errors=errors)


def tape_of_nothing() -> tf.GradientTape:
    with tf.GradientTape() as tape:
        pass
    return tape


def not_numbers(traced: bool = False) -> Result:
    seed()
    bad, huge = tf.Variable([-1.0, 0.0, 1.0]), tf.Variable([3e38])
    return trained(
        [bad, huge],
        lambda: tf.reduce_sum(tf.math.log(bad)) + tf.reduce_sum(huge * 1e10),
        keras.optimizers.Adam(0.1),
        traced=traced,
    )


def sparse(traced: bool = False) -> Result:
    seed()
    table = layers.Embedding(9, 3)
    table.build()
    words = tf.constant([1, 4, 4, 8])
    raw = tf.Variable(tf.random.normal([6, 2]))
    return trained(
        [table.embeddings, raw],
        lambda: tf.reduce_sum(table(words) ** 2) + tf.reduce_sum(tf.gather(raw, [0, 5, 5]) ** 2),
        keras.optimizers.Adam(0.1),
        traced=traced,
    )


def narrow(dtype: str, traced: bool = False) -> Result:
    seed()
    weights = tf.Variable(tf.random.normal([4, 4], dtype=dtype))
    return trained(
        [weights],
        lambda: tf.reduce_sum(tf.matmul(tf.cast(tf.constant(real()), dtype), weights) ** 2),
        keras.optimizers.SGD(1e-3),
        traced=traced,
    )


def mixed(policy: str, rounds: int = 5) -> Result:
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        seed()
        model = keras.Sequential([layers.Input((4,)), layers.Dense(6), layers.BatchNormalization(), layers.Dense(1)])
        optimizer = keras.optimizers.Adam(0.01)
        if policy == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**20, dynamic_growth_steps=2)
        losses = []
        for _ in range(rounds):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.cast(model(real(), training=True), "float32") ** 2)
                scaled = optimizer.scale_loss(loss)
            grads = tape.gradient(scaled, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
            losses += [loss, *grads]
        model.compile("adam", "mse")
        losses.append(model.train_on_batch(real(), np.ones((8, 1))))
        return finished(losses, model, optimizer)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")


def complex_and_integer(rounds: int = 5) -> Result:
    seed()
    wave = tf.Variable(tf.complex(tf.random.normal([3]), tf.random.normal([3])))
    counter, flag, name = tf.Variable(0), tf.Variable(True), tf.Variable("epoch")
    seen: list[Any] = []
    for number in range(rounds):
        with tf.GradientTape(persistent=True) as tape:
            loss = tf.reduce_sum(tf.abs(wave) ** 2) + tf.cast(counter, tf.float32)
        grads = tape.gradient(loss, [wave, counter, flag, name])
        seen += [loss, *grads, tape.gradient(wave, wave)]
        wave.assign_sub(0.1 * grads[0])
        counter.assign_add(1)
        flag.assign(not flag)
        name.assign(f"epoch {number}")
    return {"seen": values(seen), "weights": values([wave, counter, flag]), "name": name.numpy()}


def beside_a_graph(rounds: int = 4) -> Result:
    """Code of TensorFlow 1 that is still in use beside the training: its variables have no value outside a session."""
    seed()
    with tf.Graph().as_default() as graph:
        old = tf.Variable([1.0, 2.0])
        slope = tf.gradients(old**2, [old])
        with tf.compat.v1.Session(graph=graph) as session:
            session.run(tf.compat.v1.global_variables_initializer())
            found = session.run(slope)
    new = tf.Variable([1.0, 2.0])
    result = trained([new], lambda: tf.reduce_sum(new * tf.constant([3.0, 4.0])), keras.optimizers.SGD(0.1), rounds)
    return {**result, "graph": values(found), "old": old.shape.as_list()}


def many_variables(number: int = 2000, rounds: int = 4, traced: bool = False) -> Result:
    seed()
    scales = [tf.Variable([1e-4, 1e-4 * (index % 7)], name=f"scale_{index}") for index in range(number)]
    optimizer = keras.optimizers.SGD(1e-4)
    optimizer.build(scales)

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.add_n(scales) ** 2)
        grads = tape.gradient(loss, scales)
        if traced:
            # Keras' optimizers make ten operations a variable, which takes TensorFlow half a minute to build.
            for scale, grad in zip(scales, grads, strict=True):
                scale.assign_sub(grad)
        else:
            optimizer.apply(grads)
        return loss

    run = tf.function(step) if traced else step
    return finished([run() for _ in range(rounds)], keras.Sequential(), scales=values(scales))


def every_question_to_a_tape(rounds: int = 4) -> Result:
    """What a tape can be asked, and what can be done to it."""
    seed()
    x, w = tf.constant([1.0, 2.0]), tf.Variable([[0.5, -1.0], [2.0, 0.25]], name="w")

    @tf.custom_gradient
    def halved(value: Any) -> Any:
        return value, lambda upstream: upstream * 0.5

    @tf.recompute_grad
    def again(value: Any) -> Any:
        return tf.tanh(value)

    class Tape(tf.GradientTape):
        asked = 0

        def gradient(self, target: Any, sources: Any, *more: Any, **options: Any) -> Any:
            type(self).asked += 1
            return super().gradient(target, sources, *more, **options)

    seen: list[Any] = []
    for _ in range(rounds):
        with Tape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch([x, w])
            y = tf.linalg.matvec(w, x)
            with tape.stop_recording():
                z = y * 3.0
            loss = tf.reduce_sum(halved(y) * again(z) + tf.numpy_function(np.sin, [y], tf.float32))
        seen += [
            tape.gradient(loss, w),
            *tape.gradient(loss, {"a": w, "b": [x]})["b"],
            tape.gradient(loss, x, output_gradients=tf.constant(2.0)),
            tape.gradient(target=z, sources=w, unconnected_gradients="zero"),
            tape.jacobian(y, w),
            tape.gradient([y, loss], [w])[0],
            *tape.watched_variables(),
        ]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.py_function(tf.square, [w * 2.0], tf.float32))
        seen.append(tape.gradient(loss, w))
        with tf.GradientTape() as tape:
            tape.watch(x)
            kept = x * 2.0
            tape.reset()
            tape.watch(x)
            kept = tf.reshape(x**3, [2, 1]) * kept
        seen.append(tape.gradient(kept, x))
        with tf.GradientTape() as tape:
            columns = tf.reshape(x, [2, 1])
            tape.watch(columns)
            squares = columns**2
        seen.append(tape.batch_jacobian(squares, columns))
        errors = []
        for question in (
            lambda tape=tape, target=squares: tape.gradient(target, x),
            lambda: tf.GradientTape().gradient(),
            lambda tape=tape: tape.watch(),
            lambda: tf.GradientTape().gradient("loss", "weights"),
        ):
            try:
                question()
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
    return {"seen": values(seen), "asked": Tape.asked, "errors": errors}


WAYS: dict[str, Callable[[], Result]] = {
    "eager loop": eager_loop,
    "tf.function": function_loop,
    "jit_compile": functools.partial(function_loop, rounds=3, jit=True),
    "fit": fit,
    "fit run_eagerly": functools.partial(fit, rounds=2, run_eagerly=True),
    "compile and train_on_batch": compiled,
    "gradient penalty": gradient_penalty,
    "gradient penalty in a tf.function": functools.partial(gradient_penalty, traced=True),
    "thread": in_a_thread,
    "MirroredStrategy": mirrored,
    "run_functions_eagerly": functions_run_eagerly,
    "enable_check_numerics": numerics_checked,
}

GRADIENTS: dict[str, Callable[[], Result]] = {
    "some None": missing,
    "some None in a tf.function": functools.partial(missing, traced=True),
    "all None and empty lists": none_at_all,
    "NaN and infinity": not_numbers,
    "NaN and infinity in a tf.function": functools.partial(not_numbers, traced=True),
    "IndexedSlices": sparse,
    "IndexedSlices in a tf.function": functools.partial(sparse, traced=True),
    "float16": functools.partial(narrow, "float16"),
    "bfloat16": functools.partial(narrow, "bfloat16"),
    "bfloat16 in a tf.function": functools.partial(narrow, "bfloat16", traced=True),
    "float64": functools.partial(narrow, "float64"),
    "mixed_float16": functools.partial(mixed, "mixed_float16"),
    "mixed_bfloat16": functools.partial(mixed, "mixed_bfloat16"),
    "complex and integer variables": complex_and_integer,
    "a graph of TensorFlow 1": beside_a_graph,
    "every question to a tape": every_question_to_a_tape,
}
