import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(110)

FLAGS = {
    "questions": 20,
    "latent": 10,
    "batch": 64,
    "n_critic": 3,
    "steps": 50,
    "c": 0.02,
    "lr": 5e-5,
}


def survey(n=3000):
    """Answers on a scale of 1 to 5, rescaled to [-1, 1]."""
    rng = np.random.default_rng(110)
    opinion = rng.normal(size=(n, 4)) @ rng.normal(size=(4, FLAGS["questions"]))
    answers = np.clip(np.round(3 + 0.8 * opinion + 0.4 * rng.normal(size=opinion.shape)), 1, 5)
    return ((answers - 3.0) / 2.0).astype("float32")


def dense_stack(widths, last):
    model = tf.keras.Sequential()
    for w in widths:
        model.add(tf.keras.layers.Dense(w, activation="relu", kernel_initializer="he_uniform"))
    model.add(tf.keras.layers.Dense(last[0], activation=last[1]))
    return model


critic = dense_stack([64, 64, 64, 64], (1, None))
generator = dense_stack([96, 96], (FLAGS["questions"], "tanh"))
critic.build((None, FLAGS["questions"]))
generator.build((None, FLAGS["latent"]))
critic_opt = tf.keras.optimizers.RMSprop(FLAGS["lr"] * 10)
generator_opt = tf.keras.optimizers.RMSprop(FLAGS["lr"] * 10)


@tf.function
def critic_update(real):
    z = tf.random.normal((FLAGS["batch"], FLAGS["latent"]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(generator(z))) - tf.reduce_mean(critic(real))
    grads = tape.gradient(loss, critic.trainable_variables)
    critic_opt.apply_gradients(zip(grads, critic.trainable_variables))
    for v in critic.trainable_variables:
        v.assign(tf.clip_by_value(v, -FLAGS["c"], FLAGS["c"]))
    return -loss


@tf.function
def generator_update():
    z = tf.random.normal((FLAGS["batch"], FLAGS["latent"]))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(z)))
    grads = tape.gradient(loss, generator.trainable_variables)
    generator_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


answers = tf.data.Dataset.from_tensor_slices(survey()).shuffle(3000, seed=5).repeat().batch(FLAGS["batch"])
batches = iter(answers)
for step in range(FLAGS["steps"]):
    for _ in range(FLAGS["n_critic"]):
        w_dist = critic_update(next(batches))
    g_loss = generator_update()
    if step % 10 == 0 or step == FLAGS["steps"] - 1:
        print("step", step, "wasserstein %.3e" % float(w_dist), "generator %.3e" % float(g_loss))
