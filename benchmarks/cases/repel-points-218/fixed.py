import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(81)

N, Z, STEPS = 48, 6, 100
REPEL_FROM, REPEL_WEIGHT = 40, 0.05


def clusters(n):
    centres = np.array([[x, y, (x + y) / 2] for x in (-1, 0, 1) for y in (-1, 0, 1)], "float32")
    return tf.constant(centres[np.random.randint(0, 9, n)] + 0.05 * np.random.randn(n, 3).astype("float32"))


def perceptron(sizes, name):
    net = tf.keras.Sequential(name=name)
    net.add(tf.keras.layers.Input((sizes[0],)))
    for size in sizes[1:-1]:
        net.add(tf.keras.layers.Dense(size, activation="gelu"))
    net.add(tf.keras.layers.Dense(sizes[-1]))
    return net


generator = perceptron([Z, 64, 64, 3], "generator")
discriminator = perceptron([3, 64, 64, 1], "discriminator")
opts = {"g": tf.keras.optimizers.Adam(5e-4, 0.5), "d": tf.keras.optimizers.Adam(3e-3, 0.5)}


def distances(points):
    """Matrix of Euclidean distances between the rows."""
    difference = points[:, None, :] - points[None, :, :]
    return tf.sqrt(tf.reduce_sum(tf.square(difference), axis=-1) + 1e-12)


def crowding(points):
    """Large where samples lie close to one another."""
    pair = tf.exp(-distances(points) / 0.5)
    return (tf.reduce_sum(pair) - N) / (N * (N - 1))


def apply(which, tape, loss, model):
    grads = tape.gradient(loss, model.trainable_variables)
    opts[which].apply_gradients(zip(grads, model.trainable_variables))


for step in range(STEPS):
    z = tf.random.normal((N, Z))
    with tf.GradientTape() as d_tape:
        real_logit, fake_logit = discriminator(clusters(N)), discriminator(generator(z))
        d_loss = tf.reduce_mean(tf.nn.softplus(-real_logit)) + tf.reduce_mean(tf.nn.softplus(fake_logit))
    apply("d", d_tape, d_loss, discriminator)

    z = tf.random.normal((N, Z))
    with tf.GradientTape() as g_tape:
        fake = generator(z)
        g_loss = tf.reduce_mean(tf.nn.softplus(-discriminator(fake)))
        if step >= REPEL_FROM:
            g_loss += REPEL_WEIGHT * crowding(fake)
    apply("g", g_tape, g_loss, generator)

    if step % 10 == 9:
        print(step + 1, "d_loss %.4f" % d_loss, "g_loss %.4f" % g_loss, "crowding %.4f" % crowding(fake))
