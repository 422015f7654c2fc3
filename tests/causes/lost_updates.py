"""Faults in lists of variables and in updates, where gradients are not missing by themselves, each with its sound twin."""

from __future__ import annotations

from causes.fault import fault
from causes.gan import APPLY, Gan
from record.building import Script

G = ("generator/kernel", "generator/kernel_1")
D = ("discriminator/kernel", "discriminator/kernel_1")


# --- frozen -------------------------------------------------------------------------------------------------------------


@fault("frozen", "discriminator.trainable = False", "discriminator", D)
def discriminator_that_stays_frozen(faulty: bool) -> Script:
    thaw = "" if faulty else "\ndiscriminator.trainable = True"
    run = Gan(before=f"discriminator.trainable = False{thaw}")
    run.at("trainable = False").discriminator.freeze()
    if not faulty:
        run.at("trainable = True").discriminator.freeze(True)
    run.train()
    return run


# --- unbuilt-variables --------------------------------------------------------------------------------------------------


@fault("unbuilt-variables", "weights = encoder", "encoder", ("encoder/kernel",))
def list_of_a_model_that_is_not_built(faulty: bool) -> Script:
    run = Script("""
        encoder = keras.Sequential([Dense(4)])
        decoder = keras.Sequential([keras.Input((4,)), Dense(4)])
        critic = keras.Sequential([keras.Input((4,)), Dense(1)])
        optimizer = keras.optimizers.Adam()
        weights = encoder.trainable_variables + decoder.trainable_variables + critic.trainable_variables
        for real in dataset:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(critic(decoder(encoder(real)))) + tf.reduce_mean(critic(real))
            gradients = tape.gradient(loss, weights)
            optimizer.apply_gradients(zip(gradients, weights))
    """)
    encoder = run.at("encoder = ").model("encoder", (4, 4), built=not faulty)
    decoder, critic = run.at("decoder = ").model("decoder", (4, 4)), run.at("critic = ").model("critic", (4, 1))
    optimizer = run.at("optimizer = ").optimizer()
    run.at("weights = ")
    weights = [*encoder.trainable_variables, *decoder.trainable_variables, *critic.trainable_variables]
    for _ in range(2):
        with run.at("as tape").tape() as tape:
            run.at("loss =")
            real = run.data()
            scores = [run.op("Mean", critic(batch)) for batch in (real, decoder(encoder(real)))]
            loss = run.op("AddV2", *scores, shape=())
        gradients = run.at("gradients =").gradient(tape, loss, weights)
        run.at("optimizer.apply").apply(optimizer, gradients, weights)
    return run


@fault("unbuilt-variables", "weights = generator", "other", G)
def list_of_a_model_that_was_replaced(faulty: bool) -> Script:
    read, remade = "weights = generator.trainable_variables", "generator = keras.models.clone_model(generator)"
    run = Gan(before=f"{read}\n{remade}" if faulty else f"{remade}\n{read}")
    run.at("weights =")
    weights = run.generator.trainable_variables if faulty else []
    run.generator = run.at("clone_model").model("generator", (4, 8), (8, 4))
    weights = weights or run.at("weights =").generator.trainable_variables
    for _ in range(2):
        run.discriminator_step()
        tape, loss = run.generator_loss()
        gradients = run.at("g_gradients =").gradient(tape, loss, weights, none=weights if faulty else ())
        run.at("g_opt.apply").apply(run.g_opt, gradients, weights)
    return run


# --- wrong-pairing ------------------------------------------------------------------------------------------------------


@fault("wrong-pairing", "g_opt.apply", "discriminator", D)
def gradients_of_the_generator_on_the_discriminator(faulty: bool) -> Script:
    name = "discriminator" if faulty else "generator"
    run = Gan(apply=APPLY.replace("generator", name))
    for _ in range(2):
        run.discriminator_step()
        tape, loss = run.generator_loss()
        gradients = run.at("g_gradients =").gradient(tape, loss, run.generator.trainable_variables)
        receiver = run.discriminator if faulty else run.generator
        run.at("g_opt.apply").apply(run.g_opt, gradients, receiver.trainable_variables)
    return run


# --- not-applied --------------------------------------------------------------------------------------------------------


@fault("not-applied", "g_gradients =", "generator", G)
def gradients_that_nobody_applies(faulty: bool) -> Script:
    run = Gan(apply="pass" if faulty else APPLY)
    for _ in range(2):
        run.discriminator_step()
        if faulty:
            tape, loss = run.generator_loss()
            run.at("g_gradients =").gradient(tape, loss, run.generator.trainable_variables)
        else:
            run.generator_step()
    return run


@fault("not-applied", "g_opt = ", "generator", G)
def learning_rate_of_zero(faulty: bool) -> Script:
    run = Gan()
    run.g_opt.rates = (0.0,) if faulty else (2e-4, 0.0, 2e-4)
    run.train()
    return run


# --- variables-left-out -------------------------------------------------------------------------------------------------


@fault("variables-left-out", "g_opt.apply", "generator", ("generator/kernel_1",))
def pairs_that_zip_cuts_short(faulty: bool) -> Script:
    run = Gan(apply="g_opt.apply_gradients(zip(g_gradients, weights))")
    for _ in range(2):
        run.discriminator_step()
        tape, loss = run.generator_loss()
        weights = run.at("g_gradients =").generator.trainable_variables
        gradients = run.gradient(tape, loss, weights)
        run.at("g_opt.apply").apply(run.g_opt, gradients, weights[:1] if faulty else weights)
    return run


@fault("variables-left-out", "g_gradients =", "encoder", ("encoder/kernel",))
def encoder_in_no_list(faulty: bool) -> Script:
    run = Gan()
    encoder = run.at("generator =").model("encoder", (4, 4))
    for _ in range(2):
        run.discriminator_step()
        with run.at("as g_tape").tape() as tape:
            fake = run.at("fake =").generator(encoder(run.data()))
            loss = run.at("g_loss =").op("Mean", run.discriminator(fake))
        weights = run.at("g_gradients =").generator.trainable_variables
        weights += [] if faulty else encoder.trainable_variables
        gradients = run.gradient(tape, loss, weights)
        run.at("g_opt.apply").apply(run.g_opt, gradients, weights)
    return run
