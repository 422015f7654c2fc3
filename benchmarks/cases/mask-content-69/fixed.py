import numpy as np
import tensorflow as tf

tf.random.set_seed(26)
np.random.seed(26)

# sparse 1D signals: a few active samples, the rest exactly 0
LENGTH, Z, BATCH = 24, 10, 64


def sparse_signals(n):
    start = np.random.randint(0, LENGTH - 6, (n, 1))
    grid = np.arange(LENGTH)
    active = (grid >= start) & (grid < start + 6)
    return (active * (1.0 + 0.3 * np.random.randn(n, LENGTH))).astype("float32")


class SparseGenerator(tf.Module):
    def __init__(self):
        super().__init__()
        self.trunk = tf.keras.Sequential([tf.keras.Input((Z,)), tf.keras.layers.Dense(64, activation="relu")])
        self.content = tf.keras.Sequential([tf.keras.Input((64,)), tf.keras.layers.Dense(LENGTH)])
        self.gate = tf.keras.Sequential([
            tf.keras.Input((64,)),
            tf.keras.layers.Dense(32, activation="relu"),
            tf.keras.layers.Dense(LENGTH, activation="sigmoid"),
        ])

    @property
    def weights(self):
        return self.trunk.trainable_weights + self.content.trainable_weights + self.gate.trainable_weights

    def __call__(self, z):
        h = self.trunk(z)
        gate = self.gate(h)
        hard = tf.cast(gate > 0.5, tf.float32)
        return (gate + tf.stop_gradient(hard - gate)) * self.content(h)


generator = SparseGenerator()
critic = tf.keras.Sequential([
    tf.keras.Input((LENGTH,)),
    tf.keras.layers.Dense(64, activation="leaky_relu"),
    tf.keras.layers.Dense(32, activation="leaky_relu"),
    tf.keras.layers.Dense(1),
])
g_opt = tf.keras.optimizers.RMSprop(5e-4)
c_opt = tf.keras.optimizers.RMSprop(5e-4)

for step in range(120):
    real = tf.constant(sparse_signals(BATCH))
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(z)
        c_real, c_fake = critic(real), critic(fake)
        c_loss = tf.reduce_mean(tf.nn.relu(1.0 - c_real)) + tf.reduce_mean(tf.nn.relu(1.0 + c_fake))
        g_loss = -tf.reduce_mean(c_fake)
    c_grads = tape.gradient(c_loss, critic.trainable_weights)
    g_grads = tape.gradient(g_loss, generator.weights)
    del tape
    c_opt.apply_gradients(zip(c_grads, critic.trainable_weights))
    g_opt.apply_gradients((g, v) for g, v in zip(g_grads, generator.weights) if g is not None)
    if step % 30 == 0:
        sample = generator(tf.random.normal((500, Z))).numpy()
        print(f"step {step:3d}  critic {float(c_loss):.3f}  generator {float(g_loss):.3f}  "
              f"active share {np.mean(sample != 0):.3f} (data 0.25)")
