import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(39)
STEPS, SYMBOLS, UNITS, BATCH = 8, 6, 32, 64

# I-IV-V style progressions: the next chord depends on the one before
table = np.array([[.1, .1, .0, .4, .4, .0], [.0, .1, .2, .0, .6, .1], [.0, .1, .1, .4, .0, .4],
                  [.4, .2, .0, .1, .3, .0], [.6, .0, .1, .0, .1, .2], [.0, .4, .2, .3, .0, .1]])


def progressions(n):
    rows = np.zeros((n, STEPS), "int32")
    for t in range(1, STEPS):
        rows[:, t] = [np.random.choice(SYMBOLS, p=table[c]) for c in rows[:, t - 1]]
    return tf.one_hot(rows, SYMBOLS)


class Composer(tf.Module):
    def __init__(self):
        super().__init__()
        self.cell = keras.layers.GRUCell(UNITS)
        self.readout = keras.layers.Dense(SYMBOLS)
        self.cell.build((None, SYMBOLS))
        self.readout.build((None, UNITS))

    @property
    def weights(self):
        return self.cell.trainable_variables + self.readout.trainable_variables

    def pick(self, logits, tau=0.7):
        gumbel = -tf.math.log(-tf.math.log(tf.random.uniform(tf.shape(logits), 1e-6, 1.0 - 1e-6)))
        soft = tf.nn.softmax((logits + gumbel) / tau)
        hard = tf.one_hot(tf.argmax(soft, axis=-1), SYMBOLS)
        return tf.stop_gradient(hard - soft + soft)

    def __call__(self, z):
        state = z
        chord = tf.tile(tf.one_hot([0], SYMBOLS), [BATCH, 1])
        song = tf.TensorArray(tf.float32, STEPS)
        for t in tf.range(STEPS):
            song = song.write(t, chord)
            h, _ = self.cell(chord, [state])
            state = h
            chord = self.pick(self.readout(h))
        return tf.transpose(song.stack(), [1, 0, 2])


composer = Composer()
critic = keras.Sequential([
    keras.Input((STEPS, SYMBOLS)),
    keras.layers.Conv1D(32, 2, activation="leaky_relu"),
    keras.layers.Conv1D(32, 2, activation="leaky_relu"),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1),
])
composer_opt, critic_opt = keras.optimizers.Adam(3e-3), keras.optimizers.Adam(1e-3)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(real):
    with tf.GradientTape() as ct, tf.GradientTape() as gt:
        fake = composer(tf.random.normal((BATCH, UNITS)))
        r, f = critic(real), critic(fake)
        critic_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
        composer_loss = bce(tf.ones_like(f), f)
    critic_opt.apply(ct.gradient(critic_loss, critic.trainable_variables), critic.trainable_variables)
    composer_opt.apply(gt.gradient(composer_loss, composer.weights), composer.weights)
    return critic_loss, composer_loss


songs = progressions(1024)
for i in range(60):
    at = (i * BATCH) % 1024
    critic_loss, composer_loss = train_step(songs[at:at + BATCH])
    if i % 15 == 0:
        print(i, float(critic_loss), float(composer_loss))
