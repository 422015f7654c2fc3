import tensorflow as tf
from sklearn.datasets import make_moons
from tensorflow import keras

keras.utils.set_random_seed(8)

points, _ = make_moons(2000, noise=0.05, random_state=8)
dataset = tf.data.Dataset.from_tensor_slices(points.astype("float32")).shuffle(2000).batch(100).repeat()


def mlp(n_in, n_out, units, name):
    net = keras.Sequential(name=name)
    net.add(keras.Input((n_in,)))
    for _ in range(2):
        net.add(keras.layers.Dense(units))
        net.add(keras.layers.LeakyReLU(0.2))
    net.add(keras.layers.Dense(n_out))
    return net


generator = mlp(6, 2, 48, "generator")
discriminator = mlp(2, 1, 48, "discriminator")
generator_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
discriminator_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_discriminator(real, fake):
    with tf.GradientTape() as tape:
        real_logits = discriminator(real, training=True)
        fake_logits = discriminator(fake, training=True)
        loss = bce(tf.ones_like(real_logits), real_logits) + bce(tf.zeros_like(fake_logits), fake_logits)
    gradients = tape.gradient(loss, discriminator.trainable_variables)
    discriminator_optimizer.apply_gradients(zip(gradients, discriminator.trainable_variables))
    return loss


@tf.function
def train_generator(noise):
    with tf.GradientTape() as tape:
        fake = generator(noise, training=True)
        fake_logits = discriminator(fake, training=True)
        loss = bce(tf.ones_like(fake_logits), fake_logits)
    gradients = tape.gradient(loss, generator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gradients, generator.trainable_variables))
    return loss


for step, real in enumerate(dataset.take(200)):
    noise = tf.random.normal((100, 6))
    fake = generator(noise, training=True)
    d_loss = train_discriminator(real, fake)
    g_loss = train_generator(noise)
    if step % 50 == 0:
        print("step {:4d}: d_loss={:.4f}, g_loss={:.4f}".format(step, float(d_loss), float(g_loss)))
