import math

import tensorflow as tf

tf.keras.utils.set_random_seed(53)
STEPS, HIDDEN, NOISE, BATCH = 12, 24, 4, 48


class RecurrentGenerator(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        init = tf.random_normal_initializer(stddev=0.3)
        self.w_in = tf.Variable(init([NOISE, HIDDEN]), name="w_in")
        self.w_rec = tf.Variable(init([HIDDEN, HIDDEN]), name="w_rec")
        self.b_rec = tf.Variable(tf.zeros([HIDDEN]), name="b_rec")
        self.w_out = tf.Variable(init([HIDDEN, 1]), name="w_out")
        self.b_out = tf.Variable(tf.zeros([1]), name="b_out")

    def __call__(self, noise):
        memory = tf.zeros([BATCH, HIDDEN])
        notes = tf.TensorArray(tf.float32, size=STEPS)
        for t in tf.range(STEPS):
            memory = tf.tanh(noise[:, t] @ self.w_in + memory @ self.w_rec + self.b_rec)
            notes = notes.write(t, memory @ self.w_out + self.b_out)
        return tf.transpose(notes.stack(), [1, 0, 2])[..., 0]


class Critic(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        init = tf.random_normal_initializer(stddev=0.2)
        self.layers = [(tf.Variable(init([a, b])), tf.Variable(tf.zeros([b])))
                       for a, b in ((STEPS, 64), (64, 64), (64, 1))]

    def __call__(self, x):
        for i, (w, b) in enumerate(self.layers):
            x = x @ w + b
            if i < len(self.layers) - 1:
                x = tf.nn.leaky_relu(x)
        return x


generator, critic = RecurrentGenerator(), Critic()
g_opt = tf.keras.optimizers.RMSprop(4e-3)
c_opt = tf.keras.optimizers.RMSprop(3e-4)


def melodies():
    t = tf.range(STEPS, dtype=tf.float32)[None, :]
    start = tf.random.uniform([BATCH, 1], 0.0, 2.0 * math.pi)
    return tf.sin(0.8 * t + start)


def noise():
    return tf.random.normal([BATCH, STEPS, NOISE])


@tf.function
def train_critic():
    with tf.GradientTape() as tape:
        real, fake = critic(melodies()), critic(generator(noise()))
        loss = tf.reduce_mean(tf.square(real - 1.0)) + tf.reduce_mean(tf.square(fake))
    grads = tape.gradient(loss, critic.trainable_variables)
    c_opt.apply_gradients(zip(grads, critic.trainable_variables))
    return loss


@tf.function
def train_generator():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(critic(generator(noise())) - 1.0))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


for i in range(90):
    c_loss = train_critic()
    g_loss = train_generator()
    if i % 30 == 0:
        print(f"{i:3d} critic {float(c_loss):.4f} generator {float(g_loss):.4f}")
