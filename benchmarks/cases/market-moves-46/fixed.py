import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(46)

WINDOW, NOISE, BATCH = 20, 10, 64


def simulate_returns(n):
    vol = np.exp(np.cumsum(0.1 * np.random.randn(n, WINDOW), axis=1)) * 0.8
    return np.tanh(vol * np.random.standard_t(5, (n, WINDOW))).astype("float32")[..., None]


def build_generator():
    z = keras.Input((WINDOW, NOISE))
    h = keras.layers.GRU(24, return_sequences=True)(z)
    return keras.Model(z, keras.layers.Dense(1, activation="tanh")(h), name="generator")


def build_critic():
    x = keras.Input((WINDOW, 1))
    h = keras.layers.Conv1D(24, 5, strides=2, activation="leaky_relu")(x)
    h = keras.layers.Conv1D(24, 3, strides=2, activation="leaky_relu")(h)
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.Flatten()(h)), name="critic")


def prepared_optimizer(rate, network):
    optimizer = keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9)
    optimizer.build(network.trainable_variables)
    return optimizer


generator, critic = build_generator(), build_critic()
critic_optimizer = prepared_optimizer(2e-3, critic)
generator_optimizer = prepared_optimizer(1e-3, generator)


def hinge(real_score, fake_score):
    return tf.reduce_mean(tf.nn.relu(1.0 - real_score)) + tf.reduce_mean(tf.nn.relu(1.0 + fake_score))


@tf.function
def step(real):
    noise = tf.random.normal((BATCH, WINDOW, NOISE))
    with tf.GradientTape() as tape:
        c_loss = hinge(critic(real, training=True), critic(generator(noise, training=True), training=True))
    critic_optimizer.apply(tape.gradient(c_loss, critic.trainable_variables))

    noise = tf.random.normal((BATCH, WINDOW, NOISE))
    with tf.GradientTape() as tape:
        g_loss = -tf.reduce_mean(critic(generator(noise, training=True), training=True))
    generator_optimizer.apply(tape.gradient(g_loss, generator.trainable_variables))
    return c_loss, g_loss


returns = simulate_returns(3000)
for i in range(100):
    batch = returns[np.random.randint(0, len(returns), BATCH)]
    c_loss, g_loss = step(tf.constant(batch))
    if i % 25 == 0:
        print(f"{i:4d} critic {float(c_loss):.4f} generator {float(g_loss):.4f}")
