import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(71)
LENGTH, WORDS, UNITS, BATCH = 6, 8, 32, 64


def real_sentences(n):
    start = np.random.randint(0, WORDS, (n, 1))
    return ((start + np.arange(LENGTH)) % WORDS).astype("int32")


class Policy(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = keras.layers.Embedding(WORDS + 1, 16)
        self.cell = keras.layers.GRUCell(UNITS)
        self.out = keras.layers.Dense(WORDS)

    def call(self, noise):
        state, word = noise, tf.fill([tf.shape(noise)[0]], WORDS)
        words, log_probs = [], []
        for _ in range(LENGTH):
            h, _ = self.cell(self.embed(word), [state])
            state = h
            logits = self.out(h)
            word = tf.cast(tf.random.categorical(logits, 1)[:, 0], tf.int32)
            words.append(word)
            log_probs.append(-tf.nn.sparse_softmax_cross_entropy_with_logits(word, logits))
        return tf.stack(words, axis=1), tf.stack(log_probs, axis=1)


policy = Policy()
critic = keras.Sequential([keras.layers.Embedding(WORDS, 16), keras.layers.Conv1D(32, 2, activation="leaky_relu"),
                           keras.layers.Conv1D(32, 2, activation="leaky_relu"), keras.layers.Flatten(),
                           keras.layers.Dense(1)])
policy(tf.zeros((2, UNITS)))
critic(tf.zeros((2, LENGTH), tf.int32))
p_opt, c_opt = keras.optimizers.Adam(3e-3), keras.optimizers.Adam(1e-3)
baseline = tf.Variable(0.0, trainable=False)


@tf.function
def step(real):
    noise = tf.random.normal((BATCH, UNITS))
    fake, _ = policy(noise)
    with tf.GradientTape() as tape:
        c_loss = tf.reduce_mean(tf.nn.softplus(-critic(real)) + tf.nn.softplus(critic(fake)))
    c_opt.apply_gradients(zip(tape.gradient(c_loss, critic.trainable_variables), critic.trainable_variables))

    with tf.GradientTape() as tape:
        fake, log_probs = policy(noise)
        reward = tf.stop_gradient(tf.sigmoid(critic(fake))[:, 0])
        advantage = reward - baseline
        p_loss = -tf.reduce_mean(advantage * tf.reduce_sum(log_probs, axis=1))
    p_opt.apply_gradients(zip(tape.gradient(p_loss, policy.trainable_variables), policy.trainable_variables))
    baseline.assign(0.9 * baseline + 0.1 * tf.reduce_mean(reward))
    return c_loss, tf.reduce_mean(reward)


for i in range(150):
    c_loss, reward = step(tf.constant(real_sentences(BATCH)))
    if i % 30 == 0:
        print(f"{i:3d} critic {float(c_loss):.3f} reward {float(reward):.3f}")
print(policy(tf.random.normal((3, UNITS)))[0].numpy())
