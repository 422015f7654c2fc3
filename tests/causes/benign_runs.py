"""Sound runs that a naive rule would suspect: gradients that are None, values that stand still, paths that are cut."""

from __future__ import annotations

from causes.fault import benign
from causes.gan import Gan
from record.building import Script


@benign
def detached_fakes_in_the_loss_of_the_discriminator() -> Script:
    run = Gan()
    run.train()
    return run


@benign
def an_average_of_the_generator_that_only_follows() -> Script:
    run = Gan(between="for slow, fast in zip(average.weights, generator.weights): slow.assign(0.9 * slow + 0.1 * fast)")
    average = run.at("for slow").model("average", (4, 8), (8, 4))
    for _ in range(2):
        run.discriminator_step()
        run.generator_step()
        run.at("for slow")
        for slow, fast in zip(average.variables, run.generator.variables, strict=True):
            shape = run.record.variables[slow].shape
            run.assign(slow, run.op("AddV2", run.read(slow), run.read(fast), shape=shape))
    run.moved |= set(average.variables)
    return run


def _with_statistics(*, read: bool) -> Script:
    """A list of all variables, moving statistics among them, which training writes and inference reads."""
    run = Gan()
    mean = run.at("generator = keras").variable("generator/norm/moving_mean", (4,), trainable=False, keras=True)
    for _ in range(2):
        run.discriminator_step()
        tape, loss = run.generator_loss(lambda fake: run.op("Sub", fake, run.read(mean)) if read else fake)
        asked = [*run.at("g_gradients =").generator.trainable_variables, mean]
        gradients = run.gradient(tape, loss, asked, none=[mean])
        run.at("g_opt.apply").apply(run.g_opt, gradients, asked)
    return run


@benign
def moving_statistics_in_the_list_of_a_network_in_training() -> Script:
    return _with_statistics(read=False)


@benign
def moving_statistics_in_the_list_of_a_network_in_inference() -> Script:
    return _with_statistics(read=True)


@benign
def variables_in_the_list_of_one_loss_that_another_loss_trains() -> Script:
    run = Gan()
    for _ in range(2):
        with run.at("as d_tape").tape() as tape:
            detached = run.at("detached =").op("StopGradient", run.generator(run.noise()))
            loss = run.at("d_loss =").op("Mean", run.discriminator(detached))
            run.discriminator(run.data())
        both = [*run.at("d_gradients =").discriminator.trainable_variables, *run.generator.trainable_variables]
        gradients = run.gradient(tape, loss, both, none=run.generator.variables)
        run.at("d_opt.apply").apply(run.d_opt, gradients, both)
        run.generator_step()
    return run


@benign
def a_straight_through_estimator() -> Script:
    run = Gan("hard = tf.round(fake)\nimage = fake + tf.stop_gradient(hard - fake)")

    def way(fake: int) -> int:
        hard = run.at("hard =").op("Round", fake)
        run.at("image =")
        return run.op("AddV2", fake, run.op("StopGradient", run.op("Sub", hard, fake)))

    run.train(way)
    return run


@benign
def a_where_that_decides_by_comparing() -> Script:
    run = Gan("image = tf.where(fake > 0, fake, 0.2 * fake)")

    def way(fake: int) -> int:
        run.at("image =")
        return run.op("SelectV2", run.op("Greater", fake), fake, run.op("Mul", fake))

    run.train(way)
    return run


@benign
def a_measure_through_argmax_that_is_no_part_of_the_loss() -> Script:
    run = Gan("image = fake\naccuracy = tf.argmax(discriminator(image))")

    def way(fake: int) -> int:
        run.at("accuracy =").op("Mean", run.op("ArgMax", run.discriminator(fake)))
        return fake

    run.train(way)
    return run


@benign
def a_loaded_network_that_only_compares() -> Script:
    run = Gan("image = fake + features(fake)", before="features.trainable = False")
    features = run.at("import").model("features", (4, 4), loaded=True)
    run.at("features.trainable")
    features.freeze()
    run.train(lambda fake: run.at("image =").op("AddV2", fake, features(fake)))
    return run


@benign
def a_discriminator_that_is_frozen_while_the_generator_trains() -> Script:
    run = Gan(before="discriminator.trainable = True", between="discriminator.trainable = False")
    for _ in range(2):
        run.at("trainable = True").discriminator.freeze(True)
        run.discriminator_step()
        run.at("trainable = False").discriminator.freeze()
        run.generator_step()
    return run


@benign
def gradients_clipped_by_their_global_norm() -> Script:
    run = Gan(apply="g_opt.apply_gradients(zip(tf.clip_by_global_norm(g_gradients, 1.0)[0], weights))")
    for _ in range(2):
        run.discriminator_step()
        tape, loss = run.generator_loss()
        weights = run.at("g_gradients =").generator.trainable_variables
        gradients = run.gradient(tape, loss, weights)
        run.at("g_opt.apply")
        norm = run.op("Sqrt", run.op("AddN", *(run.op("Sum", one) for one in gradients if one), shape=()), shape=())
        shapes = [run.record.variables[weight].shape for weight in weights]
        clipped = [
            run.op("RealDiv", one, norm, shape=shape) for one, shape in zip(gradients, shapes, strict=True) if one
        ]
        run.apply(run.g_opt, clipped, weights)
    return run


@benign
def a_number_that_follows_the_samples_of_the_step_before_and_is_rounded() -> Script:
    """As the probability of an adaptive augmentation does; one bias cancels out and stands still for reasons of its own."""
    run = Gan(
        "image = fake + tf.round(follows)",
        before="follows = tf.Variable(0.0, trainable=False)",
        between="follows.assign(tf.reduce_mean(generator(noise)))",
    )
    follows = run.at("follows =").variable("follows", (), trainable=False)
    bias = run.generator.variables[-1]

    def way(fake: int) -> int:
        run.at("image =")
        return run.op("AddV2", fake, run.op("Round", run.read(follows)))

    for _ in range(2):
        run.discriminator_step()
        run.at("follows.assign")
        run.assign(follows, run.op("Mean", run.generator(run.noise()), shape=()))
        run.generator_step(way, zero=[bias])
    run.moved -= {bias}
    return run
