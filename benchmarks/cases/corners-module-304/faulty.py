import numpy as np
import tensorflow as tf
import keras

tf.random.set_seed(4)
np.random.seed(4)

CORNERS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype="float32")


def corners(n):
    return CORNERS[np.random.randint(0, 4, n)] + np.random.normal(0, 0.15, (n, 2)).astype("float32")


class Net(tf.Module):
    def __init__(self, sizes, squash, name):
        super().__init__(name=name)
        self.w = [tf.Variable(tf.random.normal([a, b], stddev=(2.0 / a) ** 0.5), name=f"w{i}")
                  for i, (a, b) in enumerate(zip(sizes, sizes[1:]))]
        self.b = [tf.Variable(tf.zeros([b]), name=f"b{i}") for i, b in enumerate(sizes[1:])]
        self.squash = squash

    def __call__(self, x):
        for w, b in zip(self.w[:-1], self.b[:-1]):
            x = tf.nn.leaky_relu(x @ w + b, 0.1)
        x = x @ self.w[-1] + self.b[-1]
        return tf.sigmoid(x) if self.squash else x


gen = Net([6, 48, 48, 2], False, "gen")
dis = Net([2, 48, 48, 1], True, "dis")
gen_adam = keras.optimizers.Adam(1e-3, beta_1=0.5)
dis_adam = keras.optimizers.Adam(1e-3, beta_1=0.5)


def adversarial(p, is_real):
    p = tf.clip_by_value(p, 1e-6, 1.0 - 1e-6)
    return -tf.reduce_mean(tf.math.log(p)) if is_real else -tf.reduce_mean(tf.math.log(1.0 - p))


@tf.function
def update(x):
    z = tf.random.normal([tf.shape(x)[0], 6])
    with tf.GradientTape(persistent=True) as tape:
        fake = gen(z)
        p_fake = dis(fake)
        loss_d = adversarial(dis(x), True) + adversarial(p_fake, False)
        loss_g = adversarial(p_fake, False)
    for net, loss, opt in ((dis, loss_d, dis_adam), (gen, loss_g, gen_adam)):
        variables = list(net.trainable_variables)
        opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss_d, loss_g


for i in range(1201):
    ld, lg = update(corners(100))
    if i % 200 == 0:
        print(i, "D", float(ld), "G", float(lg))

made = gen(tf.random.normal([400, 6])).numpy()
print("distance to the nearest corner:", np.linalg.norm(made[:, None] - CORNERS, axis=2).min(axis=1).mean())
