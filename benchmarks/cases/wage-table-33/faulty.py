import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(5)


def wages(n):
    age = np.random.randint(18, 65, n)
    school = np.clip(np.random.normal(12, 3, n), 6, 20)
    wage = np.exp(0.08 * school + 0.02 * (age - 18) + np.random.normal(0, 0.3, n))
    x = np.c_[age, school, np.log(wage)].astype("float32")
    return (x - x.mean(0)) / x.std(0)


def network(sizes, name):
    model = keras.Sequential(name=name)
    model.add(keras.Input((sizes[0],)))
    for units in sizes[1:-1]:
        model.add(keras.layers.Dense(units, activation="silu"))
    model.add(keras.layers.Dense(sizes[-1]))
    return model


def update(tape, loss, net, optimizer):
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return float(loss)


def noise(n):
    return tf.random.uniform((n, 6), -1.0, 1.0)


bce = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
one, zero = tf.ones((128, 1)), tf.zeros((128, 1))

table = wages(4096)
G = network([6, 32, 32, 3], "gen")
D = network([3, 32, 32, 1], "disc")
opt = {"gen": keras.optimizers.Adam(1e-3, beta_1=0.5),
       "disc": keras.optimizers.Adam(2e-3, beta_1=0.5)}


def batches():
    order = np.random.permutation(len(table))
    for i in range(0, len(order) - 127, 128):
        yield tf.constant(table[order[i:i + 128]])


# a head start for the discriminator
for real in batches():
    with tf.GradientTape() as tape:
        loss = bce(one, D(real)) + bce(zero, D(G(noise(128))))
    value = update(tape, loss, D, opt["disc"])
print("warm-up", round(value, 4))

for epoch in range(4):
    losses = []
    for real in batches():
        with tf.GradientTape() as dt, tf.GradientTape() as gt:
            fake = G(noise(128))
            real_out, fake_out = D(real), D(fake)
            d_loss = bce(one, real_out) + bce(zero, fake_out)
            g_loss = bce(one, fake_out)
        losses.append((update(dt, d_loss, D, opt["gen"]), update(gt, g_loss, G, opt["disc"])))
    print("epoch", epoch, "D %.4f  G %.4f" % tuple(np.mean(losses, axis=0)))
