import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(119)


class TileGenerator(keras.Model):
    """Binary tiles; the output becomes sharper as the training goes on."""

    def __init__(self, side=6):
        super().__init__(name="tile_generator")
        self.body = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
        self.head = keras.layers.Dense(side * side)
        self.slope = tf.Variable(1.0, trainable=False, name="slope")

    def call(self, z):
        for layer in self.body:
            z = layer(z)
        return tf.sigmoid(self.slope * self.head(z))


class TileCritic(keras.Model):
    def __init__(self):
        super().__init__(name="tile_critic")
        self.h1 = keras.layers.Dense(64, activation="leaky_relu")
        self.h2 = keras.layers.Dense(64, activation="leaky_relu")
        self.score = keras.layers.Dense(1)

    def call(self, x):
        return self.score(self.h2(self.h1(x)))


def tiles(n, side=6):
    rng = np.random.default_rng(119)
    pattern = np.zeros((n, side, side), "float32")
    pattern[np.arange(n), rng.integers(0, side, n)] = 1.0
    pattern[np.arange(n), :, rng.integers(0, side, n)] = 1.0
    return pattern.reshape(n, -1)


Z, BATCH, STEPS, GROWTH = 10, 64, 120, 1.25
real_tiles = tiles(2000)
gen, critic = TileGenerator(), TileCritic()
gen_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
critic_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)
rng = np.random.default_rng(3)


@tf.function
def train_step(real):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape(persistent=True) as tape:
        fake = gen(z)
        s_real, s_fake = critic(real), critic(fake)
        c_loss = bce(tf.ones_like(s_real), s_real) + bce(tf.zeros_like(s_fake), s_fake)
        g_loss = bce(tf.ones_like(s_fake), s_fake)
    critic_opt.apply_gradients(zip(tape.gradient(c_loss, critic.trainable_variables), critic.trainable_variables))
    gen_opt.apply_gradients(zip(tape.gradient(g_loss, gen.trainable_variables), gen.trainable_variables))
    return c_loss, g_loss


for step in range(STEPS):
    gen.slope.assign(min(GROWTH ** step, 5.0))
    c_loss, g_loss = train_step(tf.constant(real_tiles[rng.integers(0, len(real_tiles), BATCH)]))
    if step % 20 == 0 or step == STEPS - 1:
        print(f"{step:3d} critic {float(c_loss):.4f} generator {float(g_loss):.4f}")
