import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(33)

CONFIG = {"batch": 64, "z": 8, "clip": 0.1, "n_critic": 5, "lr": 1e-3, "updates": 80}


def spiral(n):
    t = np.sqrt(np.random.rand(n)) * 3 * np.pi
    arm = np.stack([t * np.cos(t), t * np.sin(t)], axis=1) / 5.0
    return tf.constant(arm + 0.03 * np.random.randn(n, 2), tf.float32)


class Dense(tf.Module):
    def __init__(self, fan_in, fan_out, activation=None, name=None):
        super().__init__(name=name)
        scale = np.sqrt(2.0 / fan_in)
        self.w = tf.Variable(tf.random.normal((fan_in, fan_out), stddev=scale), name="w")
        self.b = tf.Variable(tf.zeros((fan_out,)), name="b")
        self.activation = activation or tf.identity

    def __call__(self, x):
        return self.activation(tf.matmul(x, self.w) + self.b)


class MLP(tf.Module):
    def __init__(self, sizes, name=None):
        super().__init__(name=name)
        last = len(sizes) - 2
        self.stack = [
            Dense(a, b, tf.nn.relu if i < last else None, name=f"layer_{i}")
            for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:]))
        ]

    def __call__(self, x):
        for layer in self.stack:
            x = layer(x)
        return x


gen = MLP([CONFIG["z"], 64, 64, 2], name="gen")
critic = MLP([2, 64, 64, 64, 1], name="critic")
gen_opt = tf.keras.optimizers.RMSprop(CONFIG["lr"] / 10)
critic_opt = tf.keras.optimizers.RMSprop(CONFIG["lr"])


def noise():
    return tf.random.normal((CONFIG["batch"], CONFIG["z"]))


def constrain(module, c):
    for w in module.trainable_variables:
        w.assign(tf.clip_by_value(w, -c, c))


@tf.function
def critic_update(real):
    fake = gen(noise())
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
    variables = critic.trainable_variables
    critic_opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    constrain(critic, CONFIG["clip"])
    return loss


@tf.function
def gen_update():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(gen(noise())))
    variables = gen.trainable_variables
    gen_opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for update in range(CONFIG["updates"]):
    for _ in range(CONFIG["n_critic"]):
        c_loss = critic_update(spiral(CONFIG["batch"]))
    g_loss = gen_update()
    if update % 10 == 9:
        print(f"{update + 1:4d}  critic {float(c_loss): .4f}  generator {float(g_loss): .4f}")
