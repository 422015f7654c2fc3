"""Faults on the way from the loss to the variables, each with its sound twin."""

from __future__ import annotations

from causes.fault import fault
from causes.gan import Gan
from record.building import Script

G = ("generator/kernel", "generator/kernel_1")
D = ("discriminator/kernel", "discriminator/kernel_1")


# --- variable-unused ----------------------------------------------------------------------------------------------------


@fault("variable-unused", "g_loss =", "generator", G)
def loss_of_the_real_images(faulty: bool) -> Script:
    run = Gan("image = real" if faulty else "image = fake")
    real = run.data()
    run.train(lambda fake: real if faulty else fake, none=run.generator.variables if faulty else ())
    return run


GENERATOR = """
class Generator(keras.Model):
    def __init__(self):
        self.body = Dense(4)
        self.scale = Dense(4)
    def call(self, x):
        return self.body(x)
generator = Generator()
"""


@fault("variable-unused", "self.scale = Dense", "generator", ("generator/scale/kernel",))
def layer_that_is_never_called(faulty: bool) -> Script:
    run = Gan(before=GENERATOR)
    body = run.at("generator = Generator", "self.body =").layer("body", (4, 4))
    scale = run.at("generator = Generator", "self.scale =").layer("scale", (4, 4))

    def forward(value: int) -> int:
        run.at("fake =", "return")
        return body(value) if faulty else scale(body(value))

    run.generator = run.at("generator = Generator").model(
        "generator", parts=[body, scale], kind="Generator", custom=True, forward=forward
    )
    run.train(none=scale.variables if faulty else ())
    return run


# --- non-differentiable-op ----------------------------------------------------------------------------------------------


@fault("non-differentiable-op", "image = tf.round", "generator", G)
def rounded_images(faulty: bool) -> Script:
    run = Gan("image = tf.round(fake)" if faulty else "image = tf.tanh(fake)")
    run.train(
        lambda fake: run.at("image =").op("Round" if faulty else "Tanh", fake),
        none=run.generator.variables if faulty else (),
    )
    return run


@fault("non-differentiable-op", "tokens = tf.argmax", "generator", G)
def one_hot_of_argmax(faulty: bool) -> Script:
    run = Gan(f"tokens = tf.{'argmax' if faulty else 'softmax'}(fake)\nimage = tf.one_hot(tokens, 4)")

    def way(fake: int) -> int:
        tokens = run.at("tokens =").op("ArgMax" if faulty else "Softmax", fake)
        return run.at("image =").op("OneHot" if faulty else "Identity", tokens)

    run.train(way, none=run.generator.variables if faulty else ())
    return run


@fault("non-differentiable-op", "image = tf.sign", "generator", G)
def signs_give_zeros(faulty: bool) -> Script:
    run = Gan("image = tf.sign(fake)" if faulty else "image = tf.tanh(fake)")
    run.train(
        lambda fake: run.at("image =").op("Sign" if faulty else "Tanh", fake),
        zero=run.generator.variables if faulty else (),
    )
    run.moved -= set(run.generator.variables if faulty else ())  # gradients of zero move nothing
    return run


# --- left-tensorflow ----------------------------------------------------------------------------------------------------


@fault("left-tensorflow", "image = np.clip", "generator", G)
def clipped_by_numpy(faulty: bool) -> Script:
    run = Gan("image = np.clip(fake, 0, 1)" if faulty else "image = tf.nn.relu(fake)\nprint(np.mean(image))")
    run.train(
        lambda fake: run.data() if faulty else run.at("image =").op("Relu", fake),
        none=run.generator.variables if faulty else (),
    )
    return run


@fault("left-tensorflow", "image = generator.predict", "generator", G)
def predicted_images(faulty: bool) -> Script:
    run = Gan("image = generator.predict(noise)" if faulty else "image = generator(noise)")
    run.train(
        lambda fake: (run.at("image =").generator.predict if faulty else lambda: run.generator(fake))(),
        none=run.generator.variables if faulty else (),
    )
    return run


@fault("left-tensorflow", "image = tf.numpy_function", "generator", G)
def numpy_function_on_the_way(faulty: bool) -> Script:
    run = Gan(f"image = tf.{'numpy' if faulty else 'py'}_function(smooth, [fake], tf.float32)")
    run.train(
        lambda fake: run.at("image =").op("PyFunc" if faulty else "EagerPyFunc", fake),
        none=run.generator.variables if faulty else (),
    )
    return run


# --- outside-tape -------------------------------------------------------------------------------------------------------


@fault("outside-tape", "image = generator(noise)", "generator", G)
def fakes_from_before_the_tape(faulty: bool) -> Script:
    run = Gan("pass" if faulty else "image = generator(noise)", between="image = generator(noise)" if faulty else "")
    for _ in range(2):
        run.discriminator_step()
        early = run.at("image =").generator(run.noise()) if faulty else 0
        run.generator_step(
            lambda _, early=early: early or run.at("image =").generator(run.noise()),
            none=run.generator.variables if faulty else (),
        )
    return run


@fault("outside-tape", "as g_tape", "generator", G)
def tape_that_watches_nothing(faulty: bool) -> Script:
    run = Gan(before="" if faulty else "# watched")
    for _ in range(2):
        run.discriminator_step()
        tape, loss = run.generator_loss(watch_accessed=not faulty)
        nothing = run.generator.variables if faulty else ()
        gradients = run.at("g_gradients =").gradient(tape, loss, run.generator.trainable_variables, none=nothing)
        run.at("g_opt.apply").apply(run.g_opt, gradients, run.generator.trainable_variables)
    return run


# --- stop-gradient ------------------------------------------------------------------------------------------------------


@fault("stop-gradient", "image = tf.stop_gradient", "generator", G)
def detached_in_the_wrong_loss(faulty: bool) -> Script:
    run = Gan("image = tf.stop_gradient(fake)" if faulty else "image = tf.identity(fake)")
    run.train(
        lambda fake: run.at("image =").op("StopGradient" if faulty else "Identity", fake),
        none=run.generator.variables if faulty else (),
    )
    return run


# --- state-write --------------------------------------------------------------------------------------------------------


@fault("state-write", "image = tf.Variable", "generator", G)
def images_kept_in_a_variable(faulty: bool) -> Script:
    run = Gan("image = tf.Variable(fake)" if faulty else "image = tf.identity(fake)\nbuffer.assign(fake)")
    buffer = run.at("import").variable("buffer", (8, 4), trainable=False)

    def way(fake: int) -> int:
        run.at("image =")
        if faulty:
            return run.read(run.variable("image", (8, 4), value=fake))
        image = run.op("Identity", fake)
        run.at("buffer.assign").assign(buffer, fake)
        return image

    run.train(way, none=run.generator.variables if faulty else ())
    return run


# --- no-second-order-gradient -------------------------------------------------------------------------------------------

PENALTY = """
critic = keras.Sequential([Dense(4, "softsign"), Dense(1)])
optimizer = keras.optimizers.Adam()
for real in dataset:
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(real)
            hidden = tf.nn.softsign(critic(real))
            score = tf.reduce_sum(hidden)
        slopes = inner.gradient(score, real)
        loss = tf.reduce_mean(tf.square(slopes))
    gradients = outer.gradient(loss, critic.trainable_variables)
    optimizer.apply_gradients(zip(gradients, critic.trainable_variables))
"""


@fault("no-second-order-gradient", "hidden =", "other", ("critic/kernel", "critic/kernel_1"))
def softsign_under_a_penalty(faulty: bool) -> Script:
    run = Script(PENALTY)
    critic = run.at("critic =").model("critic", (4, 4), (4, 1))
    optimizer = run.at("optimizer =").optimizer()
    kind = "Softsign" if faulty else "Tanh"
    for _ in range(1 if faulty else 2):
        real = run.data()
        with run.at("as outer").tape() as outer:
            with run.at("as inner").tape() as inner:
                run.at("inner.watch").watch(inner, real)
                run.at("hidden =")
                before = critic(real)
                hidden = run.op(kind, before)
                score = run.at("score =").op("Sum", hidden)
            run.at("slopes =")
            with run.differentiate(inner, score, [real]) as asked:
                back = run.op(f"{kind}Grad", run.op("OnesLike", hidden), before if faulty else hidden)
                asked.values = (run.op("MatMul", back, run.read(critic.variables[0])),)
            loss = run.at("loss =").op("Mean", run.op("Square", asked.values[0]))
        run.at("gradients =")
        error = "LookupError: gradient registry has no entry for: SoftsignGrad" if faulty else ""
        gradients = run.gradient(outer, loss, critic.trainable_variables, error=error)
        if error:
            run.fail("LookupError", error)
        else:
            run.at("optimizer.apply").apply(optimizer, gradients, critic.trainable_variables)
    return run
